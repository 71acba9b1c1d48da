"""Changing the mask of a segment: the picture with its tools, and what is said beside it."""
