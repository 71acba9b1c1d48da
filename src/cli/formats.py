"""The flags of `export` that name a format and its options."""

from __future__ import annotations

import argparse

from src.errors import OptionError
from src.records import ExportFormatInfo


def add_format_arguments(export: argparse.ArgumentParser) -> None:
    """Draw the flags from the formats that there are; with a single one there is none to choose."""
    formats = _formats()
    keys = [each.key for each in formats]
    described = "; ".join(f"{each.key}: {each.summary}" for each in formats)
    export.add_argument(
        "--format",
        choices=keys,
        default=keys[0],
        metavar="FORMAT",
        help=f"{described} By default {keys[0]}".replace("%", "%%")
        if len(keys) > 1
        else argparse.SUPPRESS,
    )
    # one flag for all formats that have an option of its name: the chosen one reads its value
    by_name = {option.name: option for each in reversed(formats) for option in each.options}
    for name, option in by_name.items():
        users = ", ".join(each.key for each in formats if _has(each, name))
        text = f"{option.label}: {option.allowed}; {option.shown(option.default)} by default"
        export.add_argument(
            _flag(name),
            dest=_place(name),
            metavar="VALUE",
            help=f"{text} ({users})".replace("%", "%%"),
        )


def chosen_options(
    export: argparse.ArgumentParser, arguments: argparse.Namespace
) -> dict[str, object]:
    """Read the options of the chosen format; ends with a usage error where one can't be."""
    formats = _formats()
    chosen = next(each for each in formats if each.key == arguments.format)
    names = {option.name for each in formats for option in each.options}
    given = {name: getattr(arguments, _place(name)) for name in names}
    given = {name: text for name, text in given.items() if text is not None}
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
