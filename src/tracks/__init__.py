"""Tracks: one thing through the frames of a video, found, read, edited and shown over time."""
