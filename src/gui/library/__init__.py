"""The panel of all media files."""
