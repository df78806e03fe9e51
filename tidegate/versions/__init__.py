"""The only door to DVC: where versions of the data are kept, and how they are fetched, pushed and listed."""
