"""The result of recovering a damaged library, in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from src.counting import counted

# One of each table's rows, as a person calls it; its plural.
WORDS = {
    "models": ("name of a model", "names of models"),
    "media_files": ("media file", "media files"),
    "frames": ("frame", "frames"),
    "segments": ("segment", "segments"),
    "tags": ("name of a tag", "names of tags"),
    "segment_tags": ("tag of a segment", "tags of segments"),
    "removed_tags": ("removed tag", "removed tags"),
    "decisions": ("decision about a tag", "decisions about tags"),
    "tracks": ("track", "tracks"),
    "track_edits": ("change of tracks", "changes of tracks"),
    "tracked_media": ("note that a video is linked", "notes that videos are linked"),
    "roots": ("folder of media", "folders of media"),
    "removed_media": ("removed media file", "removed media files"),
    "duplicate_groups": ("group of duplicates", "groups of duplicates"),
    "duplicate_files": ("file in a group of duplicates", "files in groups of duplicates"),
    "dataset_splits": ("side of a file in a split", "sides of files in splits"),
    "segment_attributes": ("attribute of a segment", "attributes of segments"),
    "label_acts": ("change of a label", "changes of labels"),
    "retractions": ("decision taken back", "decisions taken back"),
    "settled_disagreements": ("settled disagreement", "settled disagreements"),
    "segment_edits": ("edit of a mask", "edits of masks"),
    "removed_segments": ("removed segment", "removed segments"),
    "embeddings": ("embedding", "embeddings"),
    "info": ("fact about the library", "facts about the library"),
}


@dataclass
class Recovered:
    """The result of recovering a damaged library.

    Attributes:
        kept: the damaged file, under its new name; of a log that was only set aside, that log.
        rows: how many rows could be read.
        mended: how many of them had one changed bit, which has been put back.
        from_index: how many rows were taken from an index that holds all of them.
        from_backup: how many rows were taken from a backup.
        backup: the newest backup that one came from.
        lost: how many rows are gone, by table; empty when none is.
        uncertain: tables of which more may be gone, since nothing that can be read counts them.
        log_only: the database is as it was, and a log that did not belong to it was set aside.
        notice: of a recovery that was interrupted at its last step and is finished now.
    """

    kept: Path
    rows: int = 0
    mended: int = 0
    from_index: int = 0
    from_backup: int = 0
    backup: Path | None = None
    lost: dict[str, int] = field(default_factory=dict)
    uncertain: list[str] = field(default_factory=list)
    log_only: bool = False
    notice: str | None = None

    def __str__(self) -> str:
        if self.notice is not None:
            return self.notice
        if self.log_only:
            return (
                f"{self.kept.parent}: the log beside the library's database does not belong to "
                f"it and has been set aside as {self.kept.name}; the database is sound without it"
            )
        parts = [f"{self.kept.parent}: the library's database was damaged and has been recovered"]
        parts.append(f"{counted(self.rows, 'row')} could be read")
        if self.from_index:
            parts.append(f"{self.from_index:,} came from its indexes")
        if self.backup is not None and self.from_backup:
            parts.append(f"{self.from_backup:,} came from the backup {self.backup.name}")
        parts.append(self._loss())
        parts.append(f"the damaged file is kept as {self.kept.name}")
        return "; ".join(parts)

    def _loss(self) -> str:
        if not self.lost and not self.uncertain:
            return "nothing is lost"
        said = ", ".join(in_words(table, count) for table, count in self.lost.items())
        loss = f"lost: {said}" if said else "nothing that could be counted is lost"
        if self.uncertain:
            names = ", ".join(
                WORDS.get(table, ("", f"rows of {table}"))[1] for table in self.uncertain
            )
            loss += f", and perhaps more {names}, which nothing counts any more"
        return f"{loss}; add your folders again and run verify --repair to make anew what can be"


def in_words(table: str, count: int) -> str:
    one, many = WORDS.get(table, (f"row of {table}", f"rows of {table}"))
    return f"{count:,} {one if count == 1 else many}"
