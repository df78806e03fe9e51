"""What keeps a problem's stores in order over the years: copies of the registry, and what is removed."""
