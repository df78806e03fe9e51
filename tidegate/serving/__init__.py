"""Serving: the champion answers requests, by the SQL, the encoding and the model that it was trained with."""
