"""The command that exports a dataset, and the one that lists and removes recipes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from src.cli.report import note, one_line
from src.cli.video_range import add_range_arguments, range_filter
from src.counting import counted
from src.dataset_events import DatasetWritten
from src.errors import OptionError
from src.events import Event
from src.export_records import ExportFormatInfo, ExportPreview
from src.records import ImageForm

if TYPE_CHECKING:
    from src.library import MediaLibrary
    from src.search.filters import Filter
    from src.search.recipe import Recipe

_LABELS = ("all", "people", "accepted", "models", "people-first")
_SEVERAL = ("all", "surest", "none")
# Pairs that are printed; the window lists all.
_MOST_PAIRS = 20
Shown = Callable[[Iterable[Event]], Iterable[Event]]


def add_export_arguments(export: argparse.ArgumentParser) -> None:
    """Add the flags of `export` beside those about which segments; formats add theirs."""
    add = export.add_argument
    add("--recipe", metavar="NAME", help="use this saved recipe; other flags override it")
    add("--save-recipe", metavar="NAME", help="save these choices as a recipe")
    _add_format_arguments(export)
    add(
        "--images",
        choices=get_args(ImageForm),
        metavar="FORM",
        help="frames: whole images; crops: segments cut out; blurred: crops with a blurred "
        "background; cutouts: segments on a transparent background. By default what the format "
        "usually has",
    )
    add(
        "--labels",
        choices=_LABELS,
        metavar="WHOSE",
        help="people, accepted (people, and what they accepted together), models, all, or "
        "people-first: models' labels only on segments that nobody has labelled; all by default",
    )
    add("--confidence", type=_share, metavar="C", help="skip labels below this; 0 by default")
    add(
        "--classes",
        metavar="CLASSES",
        help="only these classes, merged and renamed: 'car, truck -> vehicle; dog'",
    )
    add(
        "--several",
        choices=_SEVERAL,
        metavar="RULE",
        help="a segment with several classes keeps all of them, keeps the most confident one "
        "(surest), or is skipped (none)",
    )
    add(
        "--reviewed",
        action="store_true",
        help="only frames that a person has looked at for every class",
    )
    add("--per-class", type=_whole, metavar="N", help="at most N annotations per class")
    add(
        "--split",
        metavar="SHARES",
        help="percent of training, validation and test, such as 80/10/10",
    )
    add("--seed", type=int, metavar="N", help="of the split; 1 by default")
    add("--title", default="", metavar="TITLE", help="of the dataset; the recipe's name by default")
    add(
        "--update",
        action="store_true",
        help="update the dataset in DIR: only images that changed are made again",
    )
    add_range_arguments(export, "only what is of this file of the library")
    add("--dry-run", action="store_true", help="only count what would be written")


def recipe_of(library: MediaLibrary, arguments: argparse.Namespace) -> Recipe:
    """Read a recipe: the one that is named, with what is named beside it in its place.

    Raises:
        QueryError: there is none of this name, or something in it is wrong.
    """
    from src.search.leaves import segment_filter
    from src.search.recipe import Recipe, parse_classes

    given = arguments
    named = library.recipes.get(given.recipe) if given.recipe is not None else Recipe()
    changes: dict[str, Any] = {
        "images": given.images,
        "labels": None if given.labels is None else given.labels.replace("-", " "),
        "min_confidence": given.confidence,
        "several": given.several,
        "only_reviewed": given.reviewed or None,
        "most_per_class": given.per_class,
        "split": given.split,
        "seed": given.seed,
        "where": _where(library, given),
        "classes": parse_classes(given.classes) if given.classes is not None else None,
    }
    if given.min_quality:
        changes["limits"] = segment_filter(min_predicted_iou=given.min_quality)
    if given.format is not None:
        changes |= {"format": given.format, "options": given.options}
    return replace(named, **{name: value for name, value in changes.items() if value is not None})


def _where(library: MediaLibrary, given: argparse.Namespace) -> Filter | None:
    """Read which segments; None where nothing is said of them."""
    from src.search.filter_text import parse_filter
    from src.search.filters import EVERYTHING

    where = parse_filter(given.where) if given.where else EVERYTHING
    return (where & range_filter(library, given)) or None


def export(library: MediaLibrary, arguments: argparse.Namespace, shown: Shown) -> None:
    """Export a dataset, or count it, and keep its recipe where that is asked for."""
    given = arguments
    recipe = recipe_of(library, given)
    if given.save_recipe is not None:
        library.recipes.save(given.save_recipe, recipe)
        note("the recipe is saved; `export --recipe NAME DIR` uses it")
    if given.dry_run:
        _print_preview(library.export_preview(recipe))
        return
    title = given.title or given.save_recipe or given.recipe or ""
    for event in shown(library.export(given.folder, recipe, title, given.update)):
        if isinstance(event, DatasetWritten):
            _print_written(event)


def list_recipes(library: MediaLibrary) -> None:
    """Print the names of the recipes, from A to Z, each with its format."""
    for name in library.recipes.names():
        print(f"{one_line(name)}  ({library.recipes.get(name).format})")
    if not library.recipes.names():
        note("there are no recipes; `export --save-recipe NAME DIR` saves one")


def _print_written(written: DatasetWritten) -> None:
    files = sum(written.images.values())
    print(f"{counted(files, written.file)} in {one_line(written.folder)}")
    if written.changes is not None:
        changes = written.changes
        redrawn = f", {changes.pictures:,} with another picture" if changes.pictures else ""
        print(
            f"{changes.added:,} added, {changes.removed:,} removed, "
            f"{changes.labels:,} with changed labels{redrawn}"
        )
    _print_splits({name: sum(some.values()) for name, some in written.labels.items() if name})
    _print_left_out(written.left_out)
    for sentence in written.notes:
        note(sentence)
    for path, reason in written.unread.items():
        note(f"left out: {path}: {reason}")


def _print_preview(preview: ExportPreview) -> None:
    print(
        f"{counted(sum(preview.written.values()), 'annotation')} on "
        f"{counted(preview.images, 'image')}, about {preview.bytes / 1e6:,.1f} MB"
    )
    for name, number in sorted(preview.written.items(), key=lambda each: -each[1]):
        print(f"{number:>9,}  {one_line(name)}")
    _print_splits(preview.splits)
    _print_left_out(preview.reasons)
    for warning in preview.warnings:
        note(warning)
    for pair in preview.close_pairs[:_MOST_PAIRS]:
        first, second = (one_line(path) for path in pair.files)
        print(f"similar on two sides: {pair.similarity:.2f}  {first}  {second}")
    if len(preview.close_pairs) > _MOST_PAIRS:
        print(f"and {len(preview.close_pairs) - _MOST_PAIRS:,} more pairs")


def _print_splits(splits: Mapping[Any, int]) -> None:
    if splits:
        print(", ".join(f"{name} {number:,}" for name, number in splits.items()))


def _print_left_out(reasons: dict[str, int]) -> None:
    for reason, number in reasons.items():
        print(f"left out: {number:,} {reason}")


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _add_format_arguments(export: argparse.ArgumentParser) -> None:
    """Draw the flags from the formats that there are; with a single one there is none to choose."""
    formats = _formats()
    keys = [each.key for each in formats]
    described = " ".join(f"{each.key}: {each.summary}" for each in formats)
    export.add_argument(
        "--format",
        choices=keys,
        metavar="FORMAT",
        help=f"{described} By default {keys[0]}".replace("%", "%%")
        if len(keys) > 1
        else argparse.SUPPRESS,
    )
    # one flag for all formats that have an option of its name: the chosen one reads its value
    for name in dict.fromkeys(option.name for each in formats for option in each.options):
        export.add_argument(
            _flag(name),
            dest=_place(name),
            metavar="VALUE",
            help=_option_help(name, formats).replace("%", "%%"),
        )


def _option_help(name: str, formats: Iterable[ExportFormatInfo]) -> str:
    """Describe an option, once for all formats in which it means the same."""
    users: dict[str, list[str]] = {}
    for each in formats:
        for option in each.options:
            if option.name == name:
                default = option.shown(option.default) or "empty"
                text = f"{option.label}: {option.allowed}; {default} by default"
                users.setdefault(text, []).append(each.key)
    return "; ".join(f"{text} ({', '.join(keys)})" for text, keys in users.items())


def chosen_options(
    export: argparse.ArgumentParser, arguments: argparse.Namespace
) -> dict[str, object]:
    """Read the options of the chosen format; ends with a usage error where one can't be."""
    formats = _formats()
    key = arguments.format or (formats[0].key if arguments.recipe is None else None)
    chosen = next((each for each in formats if each.key == key), None)
    names = {option.name for each in formats for option in each.options}
    given = {name: getattr(arguments, _place(name)) for name in names}
    given = {name: text for name, text in given.items() if text is not None}
    if chosen is None:
        if given:
            export.error("name the --format beside its options")
        return {}
    for name in sorted(given):
        if not _has(chosen, name):
            export.error(f"{_flag(name)} is no option of the format {chosen.key}")
    try:
        return {
            option.name: option.read(given[option.name])
            for option in chosen.options
            if option.name in given
        }
    except OptionError as exc:
        export.error(str(exc))


def _formats() -> tuple[ExportFormatInfo, ...]:
    from src.library import MediaLibrary  # not needed by any other command's arguments

    return MediaLibrary.export_formats()


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _place(name: str) -> str:
    """Return the attribute that argparse keeps an option's text in, apart from its own ones."""
    return f"option_{name}"


def _has(chosen: ExportFormatInfo, name: str) -> bool:
    return any(option.name == name for option in chosen.options)
