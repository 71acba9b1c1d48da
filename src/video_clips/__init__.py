"""Clips: a range of a video as a file of its own, with masks drawn into it where wished."""
