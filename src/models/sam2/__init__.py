"""Meta's SAM 2.1 (Ravi et al. 2024), built by the package sam2, which is optional."""
