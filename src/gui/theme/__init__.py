"""Colours, fonts, icons and drawn pictures."""
