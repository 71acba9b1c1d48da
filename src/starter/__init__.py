"""The workshop that draws scenes for the bundled CLIP and SAM, trains and measures them."""
