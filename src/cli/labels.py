"""The command about labels: the list, and giving labels to segments by ids or by a search."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from src.counting import counted

if TYPE_CHECKING:
    from src.library import MediaLibrary
    from src.records import SearchHit

READS = (None, "list")
# How many names each verb is about, at least and at most.
_NAMES = {
    "list": (0, 0),
    "add": (1, None),
    "remove": (1, None),
    "rename": (2, 2),
    "merge": (1, None),
    "import": (1, 1),
    "give": (1, 1),
    "reject": (1, 1),
    "undo": (1, 1),
    "redo": (1, 1),
}
_MORE = 100
_ON_SEGMENTS = ("give", "reject")
_ASKS_FOR = {
    "rename": "the label and its new name",
    "import": "the text file with the names, one a line",
    "undo": "the batch that the command printed",
    "redo": "the batch that was undone",
}


def add_label_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes, but for --where and --min-quality."""
    parser.add_argument(
        "verb",
        nargs="?",
        choices=list(_NAMES),
        metavar="|".join(_NAMES),
        help="list the labels; make some; take some off everything; give one another NAME; make "
        "one of several, with --into; make those that a text file names; say of segments that "
        "they have a label, or have it not; take an act back by its batch; do it again",
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--colour", metavar="#RRGGBB", help="of the labels to add")
    parser.add_argument("--into", metavar="NAME", help="what merged labels are called from then on")
    parser.add_argument(
        "--segments", nargs="+", metavar="ID", help="to give or reject: these segments"
    )
    parser.add_argument(
        "--search",
        metavar="TEXT",
        help="to give or reject: every strong hit of this search, or all that its conditions "
        "leave; listed only, unless you add --yes",
    )
    parser.add_argument(
        "--top", type=int, metavar="N", help="the N best hits, strong or not, and no more"
    )
    parser.add_argument("--yes", action="store_true", help="do it, and not only list the segments")


def check_label_arguments(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    """End with what is wrong with the command, if anything is."""
    verb = given.verb or "list"
    least, most = _NAMES[verb]
    if len(given.names) < least or (most is not None and len(given.names) > most):
        parser.error(f"name {_ASKS_FOR.get(verb, 'one label' if most else 'labels')} to {verb}")
    by_search = given.search is not None or bool(given.where)
    if verb in _ON_SEGMENTS and (given.segments is None) != by_search:
        parser.error(f"name the segments to {verb}: --segments ID…, or --search TEXT or --where")
    if verb not in _ON_SEGMENTS and (given.segments or by_search or given.yes or given.top):
        parser.error("--segments, --search, --where, --top and --yes go with give and reject")
    if given.top is not None and given.top < 1:
        parser.error("--top is at least 1")
    if (verb == "merge") != (given.into is not None):
        parser.error("merge needs --into NAME, and nothing else takes it")
    if given.colour is not None and verb != "add":
        parser.error("--colour goes with add")


def list_labels(library: MediaLibrary, as_json: bool) -> None:
    """Print the labels in their order, with how many segments have each."""
    from src.cli.report import note, one_line, print_json

    labels = library.labels.list()
    width = max((len(one_line(label.name)) for label in labels), default=0)
    for key, label in enumerate(labels, 1):
        if as_json:
            shown = {"key": key if key < 10 else None, **dataclasses.asdict(label)}
            print_json(shown)
            continue
        of_models = f", {label.automatic:,} by models" if label.automatic else ""
        together = f", {label.accepted_together:,} together" if label.accepted_together else ""
        counts = f"{counted(label.segments, 'segment')}{together}{of_models}"
        print(
            f"{key if key < 10 else ' '}  {label.colour}  {one_line(label.name):{width}}  {counts}"
        )
        for each in label.attributes:
            choices = f": {', '.join(each.choices)}" if each.choices else ": a number"
            print(f"      {one_line(each.name + choices)}")
    if not labels:
        note("there are no labels; `label add NAME` makes one")


def change_labels(library: MediaLibrary, given: argparse.Namespace) -> None:
    """Do what the command asks for, and print the batch that takes it back.

    Raises:
        QueryError: see Labels.
    """
    from src.cli.report import note, print_json

    labels, verb, names = library.labels, given.verb, given.names
    if verb in ("undo", "redo"):
        changed = labels.undo(names[0]) if verb == "undo" else labels.redo(names[0])
        if given.json:
            print_json({"batch": names[0], "changed": changed})
        else:
            print("nothing to do" if not changed else "undone" if verb == "undo" else "done again")
        return
    with labels.one_act() as batch:
        if verb == "add":
            for name in names:
                labels.add(name, given.colour, batch=batch)
        elif verb == "remove":
            for name in names:
                labels.remove(name, batch)
        elif verb == "rename":
            labels.rename(names[0], names[1], batch)
        elif verb == "merge":
            labels.merge(names, given.into, batch)
        else:
            labels.import_names(Path(names[0]), batch)
    if given.json:
        print_json({"batch": batch})
    else:
        note(f"done; `label undo {batch}` takes it back")


def answer(library: MediaLibrary, given: argparse.Namespace) -> None:
    """Give a label to segments or reject it, or list them where they come from a search.

    Raises:
        QueryError: see Labels.give; or the search has no line between strong and weak hits.
    """
    from src.cli.report import note, print_hits, print_json

    (name,), labels = given.names, library.labels
    hits = () if given.segments else _hits(library, given)
    ids = given.segments or [hit.segment.id for hit in hits]
    does = bool(given.segments) or given.yes
    batch = None
    if does and ids:
        batch = (labels.give if given.verb == "give" else labels.reject)(ids, name)
    if given.json:
        print_json({"label": name, "verb": given.verb, "batch": batch, "segment_ids": ids})
    elif not does:
        print_hits(list(hits), set())
    said = "gets" if given.verb == "give" else "loses"
    if not ids:
        note("nothing found")
    elif not does:
        note(f"nothing was done; with --yes each of these {len(ids):,} segments {said} the label")
    elif not given.json:
        note(f"{counted(len(ids), 'segment')} done; `label undo {batch}` takes it back")


def _hits(library: MediaLibrary, given: argparse.Namespace) -> Sequence[SearchHit]:
    from src.errors import QueryError
    from src.search.filter_text import parse_filter
    from src.search.leaves import segment_filter

    where = parse_filter(given.where) & segment_filter(min_predicted_iou=given.min_quality)
    found = library.search(given.search, None, given.top or 1, where)
    if given.top is not None:
        return found.hits
    if found.left_by_filter is not None:  # by conditions alone: all that they leave
        return library.search(given.search, None, max(1, found.left_by_filter), where).hits
    has_strong = any(hit.is_strong for hit in found)
    if found.hits and found.line is None and not has_strong:
        raise QueryError(
            "no line is drawn between strong and weak hits of this search; say how many of the "
            "best to take, with --top N"
        )
    # what people have tagged with the very words counts as strong as well, and comes first
    many = (found.strong or 0) + _MORE
    while True:
        hits = library.search(given.search, None, many, where).hits
        if len(hits) < many or not hits[-1].is_strong:
            return [hit for hit in hits if hit.is_strong]
        many *= 2
