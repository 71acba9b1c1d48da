"""The window; it comes with the next version."""
