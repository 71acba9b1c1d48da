"""The window's frame and its desktop: sidebar, changing between panels, start and end."""
