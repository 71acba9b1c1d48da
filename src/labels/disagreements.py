"""Where a model is sure of another word than people's, and where labels of people overlap.

Two labels contradict each other only where no segment of the library has both by people: “red” and
“circle” do not, once something was called both. A label that says more than another one, such as
“red block” and “red”, does not contradict it either.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from src.database.decisions import IS_OF_PEOPLE
from src.database.label_table import LabelTable
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.database.text_normalization import casefold_key
from src.errors import QueryError
from src.label_records import Disagreement
from src.models.mask_rle import mask_ious
from src.search.query import GONE

# How sure a model has to be, 0 to 1; a tag is given from 0.3 on.
SURE = 0.9
# IoU from which two segments are mostly the same pixels.
MOSTLY_THE_SAME = 0.7
# Of a longer name no part is looked for.
MOST_WORDS = 8

_Row = tuple[Disagreement, int, int]  # with the tags' row ids


def find_disagreements(metadata: MetadataDatabase, limit: int) -> list[Disagreement]:
    """List them, those that a model is surest of first, then the overlaps; see the module."""
    db = metadata.connection.read()
    if not LabelTable(metadata.connection, metadata.rows).has_labels():
        return []
    names = dict(db.execute("SELECT id, name FROM tags").fetchall())
    labels = {row[0] for row in db.execute("SELECT id FROM tags WHERE position IS NOT NULL")}
    together = _given_together(db) | _saying_more(names)
    settled = set(
        db.execute(
            "SELECT kind, segment_id, tag_id, ifnull(other_segment_id, ''), other_tag_id"
            " FROM settled_disagreements WHERE undone_at IS NULL"
        ).fetchall()
    )
    settled = {tuple(row) for row in settled}
    found: list[Disagreement] = []
    rows = [*_of_models(db, names, labels, together), *_rejected(db, names)]
    rows.sort(key=lambda row: (-row[0].confidence, row[0].segment_id, row[1], row[2]))
    for each, tag_id, other_id in [*rows, *_overlaps(metadata, db, names, together)]:
        key = (each.kind, each.segment_id, tag_id, each.other_segment_id or "", other_id)
        if key not in settled:
            found.append(each)
        if len(found) == limit:
            break
    return found


def _given_together(db: sqlite3.Connection) -> set[tuple[int, int]]:
    """Find the pairs of labels that people have given to one segment."""
    rows = db.execute(
        "SELECT DISTINCT a.tag_id, b.tag_id FROM segment_tags a JOIN segment_tags b"
        " ON b.segment_id = a.segment_id AND b.tag_id != a.tag_id"
        f" WHERE a.{IS_OF_PEOPLE} AND b.{IS_OF_PEOPLE}"
    )
    return {(row[0], row[1]) for row in rows}


def _saying_more(names: dict[int, str]) -> set[tuple[int, int]]:
    """Find the pairs of tags of which one has all words of the other, and more; both ways round."""
    with_words: dict[frozenset[str], list[int]] = defaultdict(list)
    for tag_id, name in names.items():
        with_words[frozenset(casefold_key(name).split())].append(tag_id)
    found = set[tuple[int, int]]()
    for words, ids in with_words.items():
        # names are short: looking up their parts is quicker than comparing each with each
        if len(words) > MOST_WORDS:
            continue
        for length in range(1, len(words)):
            for part in combinations(sorted(words), length):
                for less in with_words.get(frozenset(part), ()):
                    found |= {pair for each in ids for pair in ((each, less), (less, each))}
    return found


def _of_models(
    db: sqlite3.Connection,
    names: dict[int, str],
    labels: set[int],
    together: set[tuple[int, int]],
) -> Iterable[_Row]:
    """People say one label, a model is sure of another one."""
    rows = db.execute(
        "SELECT p.segment_id, p.tag_id, m.tag_id, m.confidence FROM segment_tags m"
        " JOIN segment_tags p ON p.segment_id = m.segment_id AND p.tag_id != m.tag_id"
        f" WHERE m.tag_id IN {LISTED} AND m.confidence >= ? AND m.source = 'auto'"
        f" AND p.{IS_OF_PEOPLE}",
        (json.dumps(sorted(labels)), SURE),
    )
    for segment_id, tag_id, other_id, confidence in rows:
        if (tag_id, other_id) not in together:
            said = Disagreement("model", segment_id, names[tag_id], names[other_id], confidence)
            yield said, tag_id, other_id


def _rejected(db: sqlite3.Connection, names: dict[int, str]) -> Iterable[_Row]:
    """People say that it is not what a model is sure of."""
    rows = db.execute(
        "SELECT r.segment_id, r.tag_id, d.confidence FROM removed_tags r JOIN decisions d"
        " ON d.segment_id = r.segment_id AND d.tag_id = r.tag_id"
        " WHERE d.source = 'auto' AND d.confidence >= ? AND d.undone_at IS NULL",
        (SURE,),
    )
    for segment_id, tag_id, confidence in rows:
        name = names[tag_id]
        said = Disagreement("model", segment_id, name, name, confidence, is_removed=True)
        yield said, tag_id, tag_id


def _overlaps(
    metadata: MetadataDatabase,
    db: sqlite3.Connection,
    names: dict[int, str],
    together: set[tuple[int, int]],
) -> Iterable[_Row]:
    """Find segments of one frame that are mostly the same, and called differently by people."""
    words: dict[str, set[int]] = defaultdict(set)
    frames: dict[int, list[str]] = defaultdict(list)
    for segment_id, tag_id, frame_id in db.execute(
        "SELECT st.segment_id, st.tag_id, s.frame_id FROM segment_tags st"
        f" JOIN segments s ON s.id = st.segment_id WHERE st.{IS_OF_PEOPLE} AND s.kind = 'object'"
        " ORDER BY s.frame_id, st.segment_id, st.tag_id"
    ):
        if segment_id not in words:
            frames[frame_id].append(segment_id)
        words[segment_id].add(tag_id)
    for ids in frames.values():
        # in most frames all are called the same, and no mask has to be read
        if len(ids) < 2 or len({frozenset(words[each]) for each in ids}) < 2:
            continue
        segments = [each for each in metadata.segments(ids).values() if each.mask_rle is not None]
        masks = [each.mask_rle for each in segments if each.mask_rle is not None]
        if len(masks) < 2:
            continue
        ious = mask_ious(masks, masks, segments[0].frame_wh)
        for one, first in enumerate(segments):
            for two in range(one + 1, len(segments)):
                other = segments[two]
                pairs = [(a, b) for a in sorted(words[first.id]) for b in sorted(words[other.id])]
                agree = words[first.id] & words[other.id] or any(p in together for p in pairs)
                if ious[one, two] >= MOSTLY_THE_SAME and not agree:
                    tag_id, other_id = pairs[0]
                    iou = float(ious[one, two])
                    said = Disagreement(
                        "overlap", first.id, names[tag_id], names[other_id], iou, False, other.id
                    )
                    yield said, tag_id, other_id


def settle(
    db: sqlite3.Connection, table: LabelTable, disagreement: Disagreement, batch: str
) -> None:
    """Write down that a disagreement stays as it is.

    Raises:
        QueryError: the segment or the label is gone.
    """
    ids = [disagreement.segment_id]
    if disagreement.other_segment_id is not None:
        ids.append(disagreement.other_segment_id)
    tags = [table.tag_ids(db, name) for name in (disagreement.label, disagreement.other_label)]
    if not table.all_exist(db, ids) or not all(tags):
        raise QueryError(GONE)
    db.execute(
        "INSERT INTO settled_disagreements"
        " (batch, kind, segment_id, tag_id, other_segment_id, other_tag_id)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            batch,
            disagreement.kind,
            disagreement.segment_id,
            tags[0][0],
            disagreement.other_segment_id,
            tags[1][0],
        ),
    )
