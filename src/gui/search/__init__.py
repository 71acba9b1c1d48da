"""The panels that search by words and by an image, and their hits."""
