"""HTML reports: the shared template, and the axes of charts."""
