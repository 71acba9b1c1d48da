"""The row of filters over results and media files: its buttons, and what they open."""
