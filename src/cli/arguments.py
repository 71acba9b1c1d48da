"""What can be said on the command line."""

from __future__ import annotations

import argparse
import difflib
import math
import os
from collections.abc import Sequence
from pathlib import Path

from src.errors import MediaLibraryError

COMMANDS = (
    "ingest remove search export stats verify models demo install-desktop uninstall-desktop".split()
)

NAMING = ("download", "use")  # verbs of `models` that are about some of them


class UsageError(MediaLibraryError):
    """The command line asks for what can't be; nothing has been done."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line; a first word that is no command is a path for the window."""
    general = argparse.ArgumentParser(add_help=False)
    general.add_argument(
        "--library", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="where it lives"
    )
    parser = argparse.ArgumentParser(
        prog="main.py",
        parents=[general],
        description="Find what is in your photos and videos, and make datasets of it.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[general])

    ingest = command("ingest", "Take files and folders into the library.")
    ingest.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    ingest.add_argument(
        "--again",
        action="store_true",
        help="add files that you removed, too, where they lie in one of the folders; a file that "
        "is named itself is always added",
    )
    remove = command(
        "remove", "Remove media from the library, with their segments and tags; files stay."
    )
    remove.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    remove.add_argument(
        "--missing",
        action="store_true",
        help="those whose files are not there any more, in the folders named or everywhere",
    )
    search = command("search", "Find segments by words, by an image, or by both.")
    search.add_argument("text", nargs="?", metavar="TEXT")
    search.add_argument("--image", type=Path, metavar="FILE", help="find what looks like it")
    search.add_argument("--top", type=int, default=10, metavar="N", help="how many hits")
    export = command("export", "Write a dataset: one folder a tag, and labels.csv.")
    export.add_argument("folder", type=Path, metavar="DIR")
    for which in (search, export):
        which.add_argument(
            "--min-quality",
            type=_quality,
            default=0.0,
            metavar="Q",
            help="leave out masks whose predicted IoU is less; whole frames stay",
        )
    stats = command("stats", "Say what is in the library.")
    verify = command("verify", "Examine the library.")
    verify.add_argument("--repair", action="store_true", help="mend what can be mended")
    models = command("models", "List the models: those here, and those to download.")
    models.add_argument(
        "verb",
        nargs="?",
        choices=["download", "use", "switch", "segment-again"],
        metavar="download|use|switch|segment-again",
        help="fetch models; use them from now on; embed the library with the CLIP that is to be "
        "used, and search with it from then on; cut again what another SAM has cut",
    )
    models.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="which; to be used also: auto (the best here), starter, none (no SAM)",
    )
    models.add_argument("--measure", action="store_true", help="how fast each one here is")
    command("demo", "Draw sample scenes, take them in, and find them again.")
    command("install-desktop", "Put the application into the desktop's menu, for a double click.")
    command("uninstall-desktop", "Take it out of the menu again.")
    for which in (ingest, remove, search, stats, models):
        which.add_argument("--json", action="store_true", help="one JSON object a line")

    for which in (ingest, remove):
        _show_dashes(which, "[PATH ...]")
    _show_dashes(search, "[TEXT]")
    _show_dashes(export, "DIR")

    first = _first_word(argv)
    if first is not None and first not in COMMANDS:
        _refuse_mistyped(parser, first)
        window = argparse.ArgumentParser(prog="main.py", parents=[general])
        window.add_argument("paths", nargs="*", type=Path, metavar="PATH")
        _show_dashes(window, "[PATH ...]")
        window.set_defaults(command=None)
        arguments = window.parse_args(argv)
    else:
        arguments = parser.parse_args(argv)
    arguments.library = getattr(arguments, "library", None)
    arguments.paths = getattr(arguments, "paths", [])
    if arguments.command == "search" and not arguments.text and not arguments.image:
        search.error("say what to look for: a TEXT, an --image FILE, or both")
    if arguments.command == "remove" and not arguments.paths and not arguments.missing:
        remove.error("say what to remove: a PATH, or --missing")
    if arguments.command == "models" and arguments.verb in NAMING and not arguments.names:
        models.error(f"say which model to {arguments.verb}; `models` lists their names")
    return arguments


def refuse_missing(paths: Sequence[Path]) -> None:
    """See that what the window is to take in is there.

    Raises:
        UsageError: it is not, with the names.
    """
    missing = [str(path) for path in paths if not os.path.lexists(path)]
    if missing:
        raise UsageError(f"{no_such(missing)}; --help lists the commands")


def no_such(names: Sequence[object]) -> str:
    """Say that paths lead to nothing."""
    which = "there is no such file or folder" if len(names) == 1 else "no such files or folders"
    return f"{', '.join(map(str, names))}: {which}"


def _refuse_mistyped(parser: argparse.ArgumentParser, word: str) -> None:
    """End with what was probably meant, where a word is nearly a command and no path."""
    near = difflib.get_close_matches(word.lower(), COMMANDS, 1)
    if near and not os.path.lexists(word):
        parser.error(f'there is no command, file or folder "{word}"; did you mean {near[0]}?')


def _show_dashes(parser: argparse.ArgumentParser, last: str) -> None:
    """Show in the usage line that `--` ends the options: a word or a name may begin with a dash.

    Args:
        last: the part of the line before which it stands.
    """
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    parser.usage = f"{usage.removesuffix(last)}[--] {last}"


def _quality(text: str) -> float:
    """Read a predicted IoU; SAM's go a little over 1."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 on")
    return number


def _first_word(argv: Sequence[str]) -> str | None:
    """Find the first argument that is no option and no option's value."""
    words = iter(argv)
    for word in words:
        if word == "--library":
            next(words, None)
        elif word == "--":
            return next(words, None)
        elif not word.startswith("-"):
            return word
    return None
