"""The queries of an export: segments with their tags, frames that were reviewed, media by name."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from src.database.conditions import Condition
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.database.text_normalization import casefold_key
from src.records import Tag
from src.search.leaves import MediaFileIs
from src.search.recipe import Recipe


def media_names(metadata: MetadataDatabase) -> dict[int, str]:
    """Name media files without a path of this machine: from the name of the folder added on."""
    roots = metadata.roots()
    names = {}
    for media in metadata.all_media():
        parents = [root for root in roots if root in media.path.parents]
        root = max(parents, key=lambda each: len(each.parts), default=media.path.parent)
        below = media.path.relative_to(root).as_posix()
        names[media.id] = f"{root.name}/{below}" if root.name else below
    return names


def class_of(metadata: MetadataDatabase, recipe: Recipe) -> dict[str, str]:
    """The class that each tag becomes, by the folded name of the tag."""
    if recipe.classes:
        return {casefold_key(tag): rule.name for rule in recipe.classes for tag in rule.tags}
    rows = metadata.connection.read().execute("SELECT * FROM tags")
    names = [row["name"] for row in metadata.rows.checked("tags", rows)]
    return {casefold_key(name): name for name in names}


def _tag_ids(metadata: MetadataDatabase, class_of: Mapping[str, str]) -> dict[int, str]:
    rows = metadata.connection.read().execute("SELECT * FROM tags")
    return {
        row["id"]: row["name"]
        for row in metadata.rows.checked("tags", rows)
        if casefold_key(row["name"]) in class_of
    }


class TaggedSegment(NamedTuple):
    """A segment with tags of a dataset.

    Attributes:
        is_good: whether it is within the recipe's limits.
        track_id: of the library's track that it is in, if any.
    """

    id: str
    kind: str
    media_id: int
    frame_index: int
    is_good: bool
    track_id: int | None = None


def _segment_of(row: Sequence[Any]) -> TaggedSegment:
    segment_id, kind, media_id, frame_index, is_good, track_id, *_ = row
    return TaggedSegment(segment_id, kind, media_id, frame_index, bool(is_good), track_id)


def tagged_segments(
    metadata: MetadataDatabase, recipe: Recipe, class_of: Mapping[str, str]
) -> Iterator[tuple[TaggedSegment, list[Tag]]]:
    """Read which segments have tags of the dataset, with those tags; no mask is read.

    Checksums of the rows are not checked here: those of what is written are, when it is read.
    """
    names = _tag_ids(metadata, class_of)
    where, limits = recipe.where.condition(), recipe.limits.condition()
    joins = Condition(f"f. {where.sql} {limits.sql}").joins
    rows = metadata.connection.read().execute(
        "SELECT pair.segment_id, s.kind, f.media_file_id, f.frame_index,"
        f" ({limits.sql}) IS TRUE, s.track_id, pair.tag_id, pair.confidence, pair.source"
        f" FROM segment_tags pair JOIN segments s ON s.id = pair.segment_id {joins}"
        f" WHERE pair.tag_id IN {LISTED} AND {where.sql} AND f.id IS NOT NULL"
        " ORDER BY pair.segment_id",
        (*limits.values, json.dumps(list(names)), *where.values),
    )
    for segment, pairs in groupby(rows, _segment_of):
        yield segment, [Tag(names[tag_id], sure, source) for *_, tag_id, sure, source in pairs]


def reviewed_frames(
    metadata: MetadataDatabase, class_of: Mapping[str, str]
) -> dict[int, dict[int, bool]]:
    """Find the frames in which every class was looked for.

    Returns:
        By media file and index of the frame, whether it was said to hold none of the classes.
    """
    classes = set(class_of.values())
    rows = metadata.connection.read().execute(
        "SELECT DISTINCT f.media_file_id FROM decisions d JOIN frames f ON f.id = d.frame_id"
        " WHERE d.undone_at IS NULL"
    )
    found: dict[int, dict[int, bool]] = {}
    for (media_id,) in list(rows):
        for frame_index, decisions in metadata.frame_decisions(media_id).items():
            said: dict[str, bool] = {}  # of a class; any of its tags makes it present
            last = {casefold_key(each.tag): each.has_tag for each in decisions}
            for tag, has_tag in last.items():
                if tag in class_of:
                    said[class_of[tag]] = said.get(class_of[tag], False) or has_tag
            if classes and said.keys() == classes:
                found.setdefault(media_id, {})[frame_index] = not any(said.values())
    return found


def frames_selected(
    metadata: MetadataDatabase, recipe: Recipe, media_ids: Sequence[int]
) -> dict[int, set[int]]:
    """Find the frames with a segment that the recipe's filter leaves, by their media files."""
    where = (recipe.where & MediaFileIs(tuple(media_ids))).condition()
    joins = Condition(f"f. {where.sql}").joins
    rows = metadata.connection.read().execute(
        f"SELECT DISTINCT f.media_file_id, f.frame_index FROM segments s {joins} WHERE {where.sql}",
        where.values,
    )
    found: dict[int, set[int]] = defaultdict(set)
    for media_id, frame_index in rows:
        found[media_id].add(frame_index)
    return found
