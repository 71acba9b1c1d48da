"""An import of labels from beginning to end: read, match, and put on the segments in one act."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from src.database.decisions import OF_PEOPLE, new_batch
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key
from src.datasets.annotations import AnnotatedImage
from src.datasets.registry import importer_for
from src.datasets.segment_matching import NoSegmentError, match_segments
from src.errors import DatasetReadError, QueryError
from src.events import Event, JobDone, LabelsImported, LabelUnmatched, Progress
from src.records import Decision, Tag


def import_labels(
    metadata: MetadataDatabase, path: Path, tag_name: Callable[[str], str]
) -> Iterator[Event]:
    """Put what people labelled in a dataset on the same segments of a library.

    All labels come in one transaction and one act, with the source `imported`; cancelled before,
    the library is as it was. Where people here have decided on a tag of a segment, that stays.

    Args:
        path: the dataset; any for which there is an importer.
        tag_name: brings a label to the form of a tag's name; QueryError where it can't be one.

    Yields:
        Progress, LabelUnmatched for each label without a segment, LabelsImported, JobDone.

    Raises:
        DatasetReadError: it can't be read, or is none that is known here.
    """
    images = _read(path)
    total = sum(len(image.annotations) for image in images)
    unmatched = 0
    labels: dict[str, dict[str, str]] = defaultdict(dict)  # by segment and folded name
    for number, (image, each, found) in enumerate(match_segments(metadata, images), start=1):
        try:
            if isinstance(found, NoSegmentError):
                raise found
            name = tag_name(each.label)
        except (NoSegmentError, QueryError) as exc:
            unmatched += 1
            yield LabelUnmatched(image.image, image.frame_index, each.label, str(exc))
        else:
            labels[found].setdefault(casefold_key(name), name)
        yield Progress("import", number, total)
    batch, added, known, overruled = new_batch(), 0, 0, 0
    with metadata.connection.write():
        decided = metadata.decisions_of(list(labels))
        for segment_id, names in labels.items():
            word = _words_of_people(decided.get(segment_id, ()))
            new = [Tag(name, 1.0, "imported") for key, name in names.items() if key not in word]
            known += sum(word.get(key, False) for key in names)
            overruled += sum(not word.get(key, True) for key in names)
            if new and metadata.add_tags(segment_id, new, added_by="human", batch=batch):
                added += len(new)
    yield LabelsImported(batch, added, known, overruled, unmatched)
    yield JobDone(segments=len(labels))


def _read(path: Path) -> list[AnnotatedImage]:
    try:
        importer = importer_for(path)
        if importer is None:
            raise DatasetReadError(
                path, "no dataset that can be imported; an export has labels.csv"
            )
        return list(importer.read(path, importer.options(), lambda file, why: None))
    except OSError as exc:
        raise DatasetReadError(path, f"can't be read ({exc.strerror or exc})") from exc
    except ValueError as exc:
        raise DatasetReadError(path, f"{exc}; nothing was imported") from exc


def _words_of_people(decisions: tuple[Decision, ...]) -> dict[str, bool]:
    """What people say of each tag of a segment, by its folded name; the strongest word counts."""
    words: dict[str, bool] = {}
    for source in reversed(OF_PEOPLE):
        words |= {casefold_key(d.tag): d.has_tag for d in decisions if d.source == source}
    return words
