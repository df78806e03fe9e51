"""Where a registered version comes from and what it led to, told from the registry alone."""
