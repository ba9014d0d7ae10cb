"""Code systems and value sets that the server holds, and what may be asked of them. Pure."""
