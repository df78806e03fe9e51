"""Pages for people: the template that all share, and the axes of pictures."""
