"""A frame -> segments cut, embedded and tagged, their crops written, and stored as one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from src.config import NO_SAM, Settings
from src.database.clip_in_use import clip_in_use
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment, crop_hash
from src.database.vector_cache import as_stored
from src.errors import DatabaseError
from src.models.mask_generator import MaskGenerator
from src.processing.crop_files import crop_folder
from src.processing.image_loader import save_jpeg
from src.processing.models_in_use import Embedding
from src.processing.segment_extractor import SegmentExtractor
from src.records import Frame, Segment

Stored = TypeVar("Stored")


class SegmentMaker:
    """Makes segments with the models of a library."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        embedding: Callable[[], Embedding],
        mask_generator: MaskGenerator | None,
        settings: Settings,
    ) -> None:
        """Set the making.

        Args:
            embedding: gives what embeds segments now: another CLIP may take over on the way.
            mask_generator: None makes one segment of a frame, the frame itself.
        """
        self.metadata = metadata
        self.paths = metadata.paths
        self.embedding = embedding
        self.mask_generator = mask_generator
        self.sam = NO_SAM if mask_generator is None else mask_generator.name
        self.extractor = SegmentExtractor(settings.blur_kernel, settings)

    def make(
        self, digest: str, frame: Frame, store: Callable[[list[NewSegment], str], Stored]
    ) -> Stored:
        """Cut a frame, embed and tag its segments, write their crops, and store them.

        Args:
            digest: of the media file's content.
            store: stores the segments and the name of the CLIP that embedded them; it is
                called once, inside a transaction, and what it returns is returned.

        Raises:
            EmbeddingError: an embedding can't be used; nothing was written.
            DatabaseError: the crops or the rows can't be written.
        """
        segments = list(self.extractor.segments(frame, self.mask_generator))
        while True:
            embedding = self.embedding()
            new = self._embedded(digest, frame, segments, embedding)
            with self.metadata.connection.write():
                # no other CLIP takes over while this transaction lasts
                if clip_in_use(self.metadata) == embedding.clip.name:
                    return store(new, embedding.clip.name)

    def _embedded(
        self, digest: str, frame: Frame, segments: Sequence[Segment], embedding: Embedding
    ) -> list[NewSegment]:
        """Embed and tag segments, and write their crops."""
        vectors = embedding.clip.encode_image([segment.crop_rgb for segment in segments])
        for vector in vectors:  # refused before a crop is written
            as_stored(vector)
        folder = crop_folder(self.paths, digest)
        new: list[NewSegment] = []
        try:
            for segment, vector, tags in zip(
                segments, vectors, embedding.tagger.tags(vectors), strict=True
            ):
                name = segment_fingerprint(digest, frame.frame_index, segment)
                crop = folder / f"{name}.jpg"
                crop_path = self.paths.name(crop)
                content = save_jpeg(segment.crop_rgb)
                self.paths.files.write(crop_path, content, lasting=False)
                new.append(NewSegment(name, segment, crop_path, vector, tags, crop_hash(content)))
            # before the rows that name them
            self.paths.files.sync_files(
                self.paths.name(folder), [f"{segment.id}.jpg" for segment in new]
            )
        except OSError as exc:
            raise DatabaseError(
                f"{folder}: crops can't be written ({exc.strerror or exc}); "
                "see that the disk has room, then start again: nothing is lost"
            ) from exc
        return new


def segment_fingerprint(digest: str, frame_index: int, segment: Segment) -> str:
    """Hash what is cut out of which picture, the content of its media file: 24 hex digits.

    The same cut of the same content has the same fingerprint, so redoing a frame doubles nothing.
    It is the id of a segment as well when that is made. The id stays when the mask is changed, and
    the fingerprint does not.
    """
    parts = (digest, str(frame_index), segment.kind, str(segment.bbox_xywh))
    text = "|".join(parts).encode() + b"|" + (segment.mask_rle or b"")
    return hashlib.blake2b(text, digest_size=12).hexdigest()
