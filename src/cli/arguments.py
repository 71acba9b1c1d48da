"""The arguments of the command line."""

from __future__ import annotations

import argparse
import difflib
import math
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from src import __version__
from src.cli.clip import add_clip_arguments
from src.cli.export import add_export_arguments, chosen_options
from src.cli.labels import add_label_arguments, check_label_arguments
from src.cli.sample import add_sample_arguments
from src.cli.track_arguments import check_tracks_arguments
from src.cli.video_range import add_time_arguments, check_range
from src.config import IS_CHECKOUT
from src.errors import MediaLibraryError
from src.job_kinds import (
    ADD,
    CLIP,
    DOWNLOAD,
    DUPLICATES,
    EXPORT,
    IMPORT,
    SAMPLE,
    SEGMENT,
    SWITCH,
    TRACK,
    TRASH,
)

COMMANDS = (
    "ingest sample remove roots search saved label duplicates tracks export recipes clip".split()
    + "import stats verify models demo install-desktop uninstall-desktop".split()
)

_NEGATED = re.compile(r"-[A-Za-z][A-Za-z_]+[:<>]")
NAMING = ("download", "use")  # verbs of `models` that are about some of them
INSTALLED = "media-library"  # the command that pip makes
OPTIONS = "[-h] [--version] [--library DIR] [--read-only] [--chroma URL]"
ABOUT = """\
With no command the window opens; the files and folders of PATH are added to
the library.

The bundled models know colours, shapes and textures only. `models download`
fetches models that know ordinary words and things.
"""
ABOUT_RUN_SH = """
run.sh has two commands of its own:
  check               check format, lint, types and imports; takes less than a minute
  test [ARGUMENT...]  do that, then run the tests; the arguments are for pytest
"""


class UsageError(MediaLibraryError):
    """The command line asks for what can't be; nothing has been done."""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line; a first word that is no command is a path for the window."""
    general = argparse.ArgumentParser(add_help=False)
    general.add_argument(
        "--library",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="the folder of the library",
    )
    general.add_argument(
        "--read-only",
        action="store_true",
        default=argparse.SUPPRESS,
        help="look, search and export beside a program that writes to the library, and change "
        "nothing in it",
    )
    general.add_argument(
        "--chroma",
        metavar="URL",
        default=argparse.SUPPRESS,
        help="keep the library's search index in this Chroma server from now on, for other "
        "programs: http://HOST:8000; off: in the library's own folder again",
    )
    name = program()
    whole = argparse.ArgumentParser(add_help=False)
    whole.add_argument(
        "--version", action="version", version=f"Media Segment Library {__version__}"
    )
    usage = f"{name} {OPTIONS} [--] [PATH ...]\n       {name} {OPTIONS} COMMAND ..."
    epilog = ABOUT + (ABOUT_RUN_SH if name.endswith("run.sh") else "")
    parser = argparse.ArgumentParser(
        prog=name,
        usage=usage,
        parents=[general, whole],
        description="Find what is in your photos and videos, and make datasets of it.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", prog=name, title="commands")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[general])

    ingest = command(ADD.command, ADD.help)
    ingest.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files to add, and folders with all they hold; none: continue an add that was stopped",
    )
    ingest.add_argument(
        "--again",
        action="store_true",
        help="also add what you removed from the library before; without this it is skipped in "
        "folders, but a file that you name is always added",
    )
    ingest.add_argument(
        "--ray",
        metavar="WHERE",
        help="process media on a Ray cluster from now on: ray://HOST:10001, auto for the one that "
        "this machine belongs to, local to start one here; off: without one again",
    )
    ingest.add_argument(
        "--ray-root",
        action="append",
        metavar="HERE=THERE",
        help="the workers find the folder HERE under the name THERE; can be given several times",
    )
    sample = command(SAMPLE.command, SAMPLE.help)
    add_sample_arguments(sample)
    remove = command(
        "remove", "Remove media from the library, with their segments and tags; files stay."
    )
    remove.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="media files, and folders with all that was added from them",
    )
    remove.add_argument(
        "--missing",
        action="store_true",
        help="remove only media whose files no longer exist; with no PATH, in the whole library",
    )
    roots = command("roots", "List the folders of your media, or say where one of them is now.")
    roots.add_argument(
        "--move",
        nargs=2,
        type=Path,
        metavar=("OLD", "NEW"),
        help="a folder was moved, or is found under another name on this machine: its files keep "
        "their segments and tags",
    )
    search = command("search", "Find segments by words, by an image, by a filter, or by several.")
    search.add_argument(
        "text",
        nargs="?",
        metavar="TEXT",
        help="words, and signed words, images and conditions as in docs/search.md, such as "
        "'red car -\"blue sky\" tag:dog after:2024'",
    )
    search.add_argument(
        "--saved", metavar="NAME", help="run a saved search; a TEXT beside it is added to it"
    )
    search.add_argument(
        "--image", type=Path, metavar="FILE", help="find segments that look like this image"
    )
    search.add_argument(
        "--top", type=int, default=10, metavar="N", help="number of hits; 10 by default"
    )
    search.add_argument(
        "--all",
        action="store_true",
        help="list each hit; without it hits of the same thing are one, the best",
    )
    saved = command("saved", "List the saved searches, keep one, or change one.")
    saved.add_argument("name", nargs="?", metavar="NAME", help="of the search; `search --saved`")
    saved.add_argument(
        "text", nargs="?", metavar="TEXT", help="keep this search under the name, as in `search`"
    )
    saved.add_argument("--rename", metavar="NEW", help="give it another name")
    saved.add_argument("--remove", action="store_true", help="delete it")
    labels = command("label", "List, make and change labels, and give them to segments.")
    add_label_arguments(labels)
    duplicates = command(DUPLICATES.command, DUPLICATES.help)
    duplicates.add_argument(
        "verb",
        nargs="?",
        choices=["hide", "keep", "apart", "undo", "trash"],
        metavar="hide|keep|apart|undo|trash",
        help="of the groups named: leave all but the best out of searches and the library; keep "
        f"all; say that they are no duplicates; take that back; {TRASH.help}",
    )
    duplicates.add_argument("groups", nargs="*", type=int, metavar="GROUP")
    duplicates.add_argument(
        "--best", type=Path, metavar="FILE", help="keep this file, not the one that is suggested"
    )
    duplicates.add_argument(
        "--yes", action="store_true", help="move files to the trash; without this they are listed"
    )
    duplicates.add_argument(
        "--again", action="store_true", help="look again, even where nothing has changed"
    )
    tracks = command(TRACK.command, TRACK.help)
    tracks.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="videos, and folders with videos; without any, all of the library. "
        "`propagate SEGMENT` follows a segment through its video instead, with SAM 2.1",
    )
    add_time_arguments(tracks)
    export = command(EXPORT.command, EXPORT.help)
    export.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="where to write it: a new or empty folder; with --update one that has a dataset",
    )
    for which in (search, export, labels):
        which.add_argument(
            "--where",
            default="",
            metavar="FILTER",
            help="only segments that meet these conditions, such as 'tag:dog>=0.8 -media:video'; "
            "docs/search.md lists them all",
        )
        which.add_argument(
            "--min-quality",
            type=_quality,
            default=0.0,
            metavar="Q",
            help="skip masks with a predicted IoU below Q; whole frames stay",
        )
    if (first := _first_word(argv)) == "export":
        add_export_arguments(export)
    recipes = command(
        "recipes", "List the recipes that `export --save-recipe` saved, or delete one."
    )
    recipes.add_argument("name", nargs="?", metavar="NAME", help="of a recipe to --remove")
    recipes.add_argument("--remove", action="store_true", help="delete it")
    add_clip_arguments(command(CLIP.command, CLIP.help))
    imported = command("import", IMPORT.help)
    imported.add_argument(
        "path", nargs="?", type=Path, metavar="DIR", help="its folder, or its file of annotations"
    )
    imported.add_argument(
        "--undo", metavar="BATCH", help="take all labels and tracks of an import back"
    )
    stats = command("stats", "Show what is in the library.")
    verify = command("verify", "Check the library for damage.")
    verify.add_argument("--repair", action="store_true", help="repair what can be repaired")
    models = command("models", "List the models on this machine, and those to download.")
    models.add_argument(
        "verb",
        nargs="?",
        choices=["download", "use", "switch", "segment-again"],
        metavar="download|use|switch|segment-again",
        help=f"{DOWNLOAD.help}; use them from now on; {SWITCH.help}; {SEGMENT.help}",
    )
    models.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="names from the list; for use also: auto (the best here), starter, none (no SAM)",
    )
    models.add_argument(
        "--measure", action="store_true", help="measure how fast each model runs here"
    )
    command("demo", "Draw sample scenes, add them, and search them.")
    command("install-desktop", "Add an entry to the desktop's menu, for a double click.")
    command("uninstall-desktop", "Remove the entry from the desktop's menu.")
    of_media = ingest, sample, remove, roots, search, saved, labels, duplicates, tracks
    for which in (*of_media, stats, models):
        which.add_argument("--json", action="store_true", help="print one JSON object per line")

    for which in (ingest, remove, tracks):
        _show_dashes(which, "[PATH ...]")
    _show_dashes(search, "[TEXT]")
    _show_dashes(saved, "[NAME] [TEXT]")
    _show_dashes(export, "DIR")

    if first is not None and first not in COMMANDS:
        _refuse_mistyped(parser, first)
        window = argparse.ArgumentParser(prog=name, usage=usage, parents=[general, whole])
        window.add_argument("paths", nargs="*", type=Path)
        window.set_defaults(command=None)
        arguments = window.parse_args(argv)
    else:
        arguments = parser.parse_args(_with_values(argv))
    arguments.library = getattr(arguments, "library", None)
    arguments.read_only = getattr(arguments, "read_only", False)
    arguments.chroma = getattr(arguments, "chroma", None)
    arguments.paths = getattr(arguments, "paths", [])
    if arguments.command == "search" and not (
        arguments.text or arguments.image or arguments.where or arguments.saved
    ):
        search.error("name what to look for: a TEXT, an --image FILE, a --where FILTER, or several")
    if arguments.command == "saved":
        acts = [arguments.text is not None, arguments.rename is not None, arguments.remove]
        if sum(acts) > 1:
            saved.error("give a TEXT, --rename or --remove, and only one of them")
        if (arguments.name is None) == any(acts):
            saved.error("name a saved search, and what to do with it; without both they are listed")
    if arguments.command == "label":
        check_label_arguments(labels, arguments)
    if arguments.command == "export":
        check_range(export, arguments)
        arguments.options = chosen_options(export, arguments)
    if arguments.command == "recipes" and (arguments.name is None) == arguments.remove:
        recipes.error("name a recipe to --remove; without both they are listed")
    if arguments.command == "remove" and not arguments.paths and not arguments.missing:
        remove.error("name what to remove: a PATH, or --missing")
    if arguments.command == "import" and (arguments.path is None) == (arguments.undo is None):
        imported.error("name the dataset, or what to --undo")
    if arguments.command == "tracks":
        check_tracks_arguments(tracks, arguments)
    if arguments.command == "models" and arguments.verb in NAMING and not arguments.names:
        models.error(f"name the model to {arguments.verb}; `models` lists them")
    return arguments


def program() -> str:
    """Return what a person types to start this application."""
    if not IS_CHECKOUT or Path(sys.argv[0]).stem == INSTALLED:
        return INSTALLED
    return "run.bat" if sys.platform == "win32" else "bash run.sh"


def refuse_missing(paths: Sequence[Path]) -> None:
    """Check that the paths for the window are there.

    Raises:
        UsageError: it is not, with the names.
    """
    missing = [str(path) for path in paths if not os.path.lexists(path)]
    if missing:
        raise UsageError(f"{no_such(missing)}; --help lists the commands")


def no_such(names: Sequence[object]) -> str:
    """Write that paths lead to nothing."""
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
        raise argparse.ArgumentTypeError(f"{text} is not a number of 0 or more")
    return number


def _with_values(argv: Sequence[str]) -> list[str]:
    """Tie a filter that begins with a dash to its option, which argparse would take for another."""
    words: list[str] = []
    for word in argv:
        if words and words[-1] == "--where" and _NEGATED.match(word) and "--" not in words:
            words[-1] = f"--where={word}"
        else:
            words.append(word)
    return words


def _first_word(argv: Sequence[str]) -> str | None:
    """Find the first argument that is no option and no option's value."""
    words = iter(argv)
    for word in words:
        if word in ("--library", "--chroma"):
            next(words, None)
        elif word == "--":
            return next(words, None)
        elif not word.startswith("-"):
            return word
    return None
