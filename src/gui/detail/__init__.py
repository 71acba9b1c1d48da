"""The panel of one segment in its frame."""
