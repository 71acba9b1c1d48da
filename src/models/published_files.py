"""Whether a file under its publisher's name is the publisher's own, by size and SHA-256.

Reading gigabytes takes seconds, so what was found is kept beside the models.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from src.library_files import write_atomically
from src.models.checkpoints import fingerprint
from src.models.kept_facts import as_json, read_facts
from src.models.model_registry import RegistryEntry

CHECKSUMS_FILE = "checksums.json"

log = logging.getLogger(__name__)


def is_published(entry: RegistryEntry, path: Path) -> bool:
    """Return whether a file is the one that its publisher offers; True where no SHA-256 is known.

    Raises:
        OSError: it can't be read.
    """
    if entry.sha256 is None:
        return True
    return path.stat().st_size == entry.size and _sha256(path) == entry.sha256


def _sha256(path: Path) -> str:
    file = path.parent / CHECKSUMS_FILE
    key = f"{path.name}@{fingerprint(path)}"
    known = read_facts(file, str)
    if key not in known:
        with path.open("rb") as stream:
            known[key] = hashlib.file_digest(stream, "sha256").hexdigest()
        try:
            write_atomically(file, as_json(known))
        except OSError as exc:
            log.warning("%s: not kept (%s); it is computed again next time", file, exc.strerror)
    return known[key]
