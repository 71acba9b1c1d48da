"""The look: colours, type, icons and drawn pictures."""
