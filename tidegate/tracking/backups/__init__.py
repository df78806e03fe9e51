"""The copy of a problem's registry in one file: what is in it, how it is made, and how it is put back."""
