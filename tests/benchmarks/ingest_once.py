"""One ingest in a process of its own, by the code of any checkout.

    python ingest_once.py CHECKOUT LIBRARY FOLDER [--clip-alone] [--models=FOLDER]

Takes a folder in with the code of a checkout, an earlier one too, and prints as JSON what it took
once the models were loaded: seconds by the clock, and of the processor with all child processes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def processor_seconds() -> float:
    """Of this process and of the children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def main() -> None:
    checkout, root, folder = (Path(name).resolve() for name in sys.argv[1:4])
    sys.path.insert(0, str(checkout))
    from src.config import LibraryPaths
    from src.events import JobDone
    from src.library import MediaLibrary
    from src.models.model_manager import ModelManager
    from src.processing.decoder_process import DECODERS

    try:
        from src.settings import NO_SAM, Settings
    except ImportError:  # in earlier commits
        from src.config import NO_SAM, Settings  # type: ignore[attr-defined, no-redef]
    settings = Settings(sam_model=NO_SAM) if "--clip-alone" in sys.argv else Settings()
    folders = [Path(each.removeprefix("--models=")) for each in sys.argv if each[:3] == "--m"]
    models = None
    if folders:
        models = ModelManager(folders[0], device="cpu", sam_model=settings.sam_model)
    done = JobDone()
    with MediaLibrary(LibraryPaths(root), models, settings) as library:
        _ = library.mask_generator, library.tagger, library.index
        before, start = processor_seconds(), time.perf_counter()
        for event in library.add([folder]):
            done = event if isinstance(event, JobDone) else done
        seconds = time.perf_counter() - start
        DECODERS.close()
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor_s": processor_seconds() - before,
                "frames": done.frames,
                "segments": done.segments,
            }
        )
    )


if __name__ == "__main__":
    main()
