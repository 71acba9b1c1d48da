"""The bundled small CLIP and SAM: what the application uses when no real weights are there."""
