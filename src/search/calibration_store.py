"""What a CLIP's wrong matches score in a library, kept in SQLite and measured anew as it grows."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from src.database.vector_db import VectorDatabase
from src.errors import DatabaseError
from src.models.auto_tagger import Vocabulary
from src.search.line import SAMPLE, Calibration, calibrate

_KEY = "calibration of "

log = logging.getLogger(__name__)


class CalibrationStore:
    """The calibrations of the CLIPs that one library is searched with."""

    def __init__(self, read_only: bool, vocabulary: Callable[[VectorDatabase], Vocabulary]) -> None:
        """Keep what was measured, in memory alone where nothing may be written.

        Args:
            vocabulary: gives the words that a CLIP tags with.
        """
        self._read_only = read_only
        self._vocabulary = vocabulary
        self._known: dict[str, Calibration] = {}

    def of(self, vectors: VectorDatabase) -> Calibration | None:
        """Return a CLIP's; None in a library without embeddings.

        The first search, and the first one after the library has doubled, measure it: that takes
        a quarter of a second.
        """
        name, last_id = vectors.clip.name, vectors.embeddings.last_id()
        known = self._known.get(name)
        if known is None and (text := vectors.metadata.info(_KEY + name)) is not None:
            known = Calibration.read(text)
        if known is None or known.is_outgrown(last_id):
            known = self._measured(vectors, last_id)
            if known is None:
                return None
            if not self._read_only:
                try:
                    vectors.metadata.set_info(_KEY + name, known.as_text())
                except DatabaseError as exc:  # a disk may be full, and searches go on
                    log.warning("what wrong matches score can't be kept: %s", exc)
        self._known[name] = known
        return known

    def _measured(self, vectors: VectorDatabase, last_id: int) -> Calibration | None:
        sample, media = vectors.embeddings.spread(SAMPLE)
        if not len(sample):
            return None
        entries = self._vocabulary(vectors).entries
        prompts = vectors.clip.encode_text([entry.prompt for entry in entries])
        groups = np.array([entry.group for entry in entries])
        return calibrate(sample, media, prompts, groups, vectors.clip.logit_scale, last_id)
