"""A workspace and a registry of every format that was released: later versions read, upgrade and go on in them."""
