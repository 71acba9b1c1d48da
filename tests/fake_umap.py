"""A package that answers as umap-learn does where we use it, written into a folder for a test.

It places embeddings by their first two numbers, so that a test knows where they are.
"""

from __future__ import annotations

from pathlib import Path

SOURCE = """
import os, time
import numpy as np

print("a library may print what it likes")


class UMAP:
    def __init__(self, *, n_components, n_neighbors, metric, init, random_state):
        assert (n_components, metric, init, random_state) == (2, "cosine", "pca", 0)
        self.n_neighbors = n_neighbors

    def fit_transform(self, matrix):
        assert 2 <= self.n_neighbors < len(matrix)
        if os.environ.get("FAKE_UMAP") == "fails":
            raise ValueError("no neighbours")
        if os.environ.get("FAKE_UMAP") == "hangs":
            time.sleep(600)
        return self.transform(matrix)

    def transform(self, matrix):
        return matrix[:, :2].astype(np.float64)
"""


def install(folder: Path) -> Path:
    """Write the package; returns the folder that is to be on the path."""
    (folder / "umap").mkdir(parents=True)
    (folder / "umap" / "__init__.py").write_text(SOURCE, encoding="utf-8")
    return folder
