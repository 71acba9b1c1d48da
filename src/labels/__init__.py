"""Labelling: ranking what is like the answers, reviewing frames, mending masks."""
