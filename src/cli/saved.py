"""The command that lists saved searches, keeps one, renames or removes it."""

from __future__ import annotations

import argparse

from src.cli.report import note, one_line, print_json
from src.library import MediaLibrary


def list_saved_searches(library: MediaLibrary, as_json: bool) -> None:
    """Print each saved search with its text, from A to Z."""
    saved = library.saved_searches()
    width = max((len(one_line(each.name)) for each in saved), default=0)
    for each in saved:
        if as_json:
            print_json({"name": each.name, "text": each.text})
        else:
            print(f"{one_line(each.name):{width}}  {one_line(each.text)}")
    if not saved:
        note("no search is saved; `saved NAME TEXT` keeps one")


def change_saved_search(library: MediaLibrary, arguments: argparse.Namespace) -> None:
    """Keep, rename or remove the saved search that the command line names.

    Raises:
        QueryError: see MediaLibrary.save_search, rename_search and forget_search.
    """
    name = arguments.name
    if arguments.text is not None:
        library.save_search(name, arguments.text)
        note("saved; `search --saved NAME` runs it")
    elif arguments.rename is not None:
        library.rename_search(name, arguments.rename)
    else:
        library.forget_search(name)
