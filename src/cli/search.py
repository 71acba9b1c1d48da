"""`main.py search`: hits as text or JSON, and what there is to know of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from src.cli.report import coverage_in_words, hit_as_json, note, print_hits, print_json
from src.errors import ModelNotLoadedError, QueryError
from src.library import MediaLibrary
from src.models.model_registry import MODEL_REGISTRY
from src.records import SearchHit, SearchResult
from src.search.filter_text import parse_filter
from src.search.leaves import segment_filter
from src.search.query_text import parse_query

NO_WORD = 'there is no word in "{}" that can be searched for'


@dataclass(frozen=True)
class Found:
    """What a search has found, to be printed when the library is closed again.

    Attributes:
        missing: the media files of hits that are not where they were.
        model: the name of the CLIP that was asked.
        advice: how to have one that knows the words which this one does not.
    """

    result: SearchResult
    hits: list[SearchHit]
    missing: set[Path]
    model: str
    advice: str | None


def find(library: MediaLibrary, arguments: argparse.Namespace) -> Found:
    """Search a library as the command line asks for it.

    Raises:
        MediaReadError: the image can't be read.
    """
    image, where = arguments.image, parse_filter(arguments.where)
    where &= segment_filter(min_predicted_iou=arguments.min_quality)
    result = library.search(
        arguments.text, image, arguments.top, where, one_of_each=not arguments.all
    )
    if image is not None and library.browse.media_kind(image) == "video":
        note(f"{image} is a video; its first frame was searched for")
    looked_for = library.missing(hit.segment.media_path for hit in result)
    return Found(
        result,
        [_with_copy(hit, looked_for) for hit in result],
        {path for path, copy in looked_for.items() if copy is None},
        library.clip.label,
        _clip_that_knows_more(library) if result.unknown_words else None,
    )


def show(found: Found, arguments: argparse.Namespace) -> None:
    """Print hits, and what there is to know of them.

    Raises:
        QueryError: there is nothing in the query that can be searched for.
    """
    image, result = arguments.image, found.result
    query = parse_query(arguments.text or "")
    words, others = query.words, len(query.terms) - 1 + (image is not None)
    if result.unknown_words:
        unknown = ", ".join(f'"{word}"' for word in result.unknown_words)
        them = "it" if len(result.unknown_words) == 1 else "them"
        note(f"the {found.model} does not know {unknown}; the search was done without {them}")
    if words and not result.has_words and (others or not result.hits):
        if not others:
            raise QueryError(NO_WORD.format(words))
        rest = "the rest" if image is None else "the image alone"
        note(f"{NO_WORD.format(words)}; {rest} was searched for")
    if arguments.json:
        for hit in found.hits:
            print_json(hit_as_json(hit, hit.segment.media_path in found.missing))
    elif found.hits:
        print_hits(found.hits, found.missing)
        if result.strong is not None and result.total is not None:
            note(f"{result.strong:,} strong, {max(0, result.total - result.strong):,} weaker")
    else:
        note("nothing found")
    if result.left_by_filter is not None and result.left_by_filter > len(found.hits) > 0:
        note(
            f"these are {len(found.hits):,} of {result.left_by_filter:,} segments; --top shows more"
        )
    if found.advice is not None:
        note(found.advice)


def _with_copy(hit: SearchHit, looked_for: Mapping[Path, Path | None]) -> SearchHit:
    """Return a hit with the copy that has taken the place of its media file, if one has."""
    copy = looked_for.get(hit.segment.media_path)
    return hit if copy is None else replace(hit, segment=replace(hit.segment, media_path=copy))


def _clip_that_knows_more(library: MediaLibrary) -> str | None:
    """Return how to get a CLIP that knows words which the one in use does not."""
    try:
        coverage = library.coverage()
    except ModelNotLoadedError:
        return None
    if coverage is not None:
        return coverage_in_words(coverage)
    passed_over = {problem.path for problem in library.models.problems}
    in_use = library.models.in_use("clip")
    for file in library.models.available("clip"):
        if not file.bundled and file != in_use and file.path not in passed_over:
            return (
                f"{file.label} is in the models folder and not used; to search with it, run "
                f"`models use {file.label}` and then `models switch`"
            )
    fetched = next(entry.name for entry in MODEL_REGISTRY if entry.kind == "clip")
    chosen = library.settings.clip_model is not None
    steps = [f"models download {fetched}", *([f"models use {fetched}"] if chosen else [])]
    return (
        f"the {library.clip.label} knows colours, shapes and textures only; to search for ordinary "
        f"words, run {', '.join(f'`{step}`' for step in steps)} and then `models switch`"
    )
