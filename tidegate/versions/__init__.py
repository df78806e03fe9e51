"""The only package that imports DVC: it fetches, pushes and lists versions of the data."""
