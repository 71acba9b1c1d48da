"""Whether a file takes longer in a larger library: python -m tests.benchmarks.growth [STORED]

Takes the same 200 images into an empty library and into one of STORED segments, and prints the
processor time a file took, in this process and in its children. CLIP-only. A busy machine does not
change these figures as it does the time on the clock.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from src.config import LibraryPaths
from src.library import MediaLibrary
from src.settings import Settings
from tests.benchmarks.soak import BATCH, ClipOnly, cpu_seconds, media
from tests.conftest import new_segments, unit_vectors

IMAGES = 200


def fill(library: MediaLibrary, stored: int) -> None:
    """Store media files of one segment each, and tell the index of them."""
    with library.metadata.connection.write():
        for number, new in enumerate(new_segments(unit_vectors(stored), "old-")):
            media_id = library.metadata.add_media(Path(f"/old/{number}.jpg"), "image", 1, 1)
            library.metadata.store_frame(media_id, 0, None, (100, 100), [new], library.clip.name)
            library.metadata.update_media(media_id, status="done", content_hash=f"old {number}")
    for _ in library.index.catch_up():
        pass


def taken(folder: Path, files: list[Path], stored: int) -> tuple[float, float]:
    """Give the processor seconds of taking files in: this process's, and its children's."""
    with MediaLibrary(LibraryPaths(folder), ClipOnly(device="cpu"), Settings()) as library:
        library.load_models()
        fill(library, stored + 1)  # never empty, so that the index's child has been started
        for _ in library.add(files[:10]):
            pass
        own_s, children_s = cpu_seconds()
        for start in range(10, len(files), BATCH):
            for _ in library.add(files[start : start + BATCH]):
                pass
        own_after_s, children_after_s = cpu_seconds()
    return own_after_s - own_s, children_after_s - children_s


def main() -> None:
    stored = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        sources = Path(name) / "media"
        sources.mkdir()
        files = list(media(sources, IMAGES + 10, 0))
        print("stored before   own CPU ms/file   children's CPU ms/file")
        for number, before in enumerate((0, stored, 0, stored)):
            own_s, children_s = taken(Path(name) / str(number), files, before)
            print(f"{before:13} {own_s / IMAGES * 1e3:17.2f} {children_s / IMAGES * 1e3:24.2f}")


if __name__ == "__main__":
    main()
