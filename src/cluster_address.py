"""Where a Ray cluster is, and where its workers find media, as a person writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

_CLIENT = re.compile(
    r"ray://([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(\d{1,5})"
)
# One that runs here already, one that is started for a job, none.
AUTO, LOCAL = "auto", "local"


def parse_cluster(text: str) -> str:
    """Read an address such as "ray://studio:10001", "auto" or "local".

    Raises:
        ValueError: it is none, with a sentence that says what one looks like.
    """
    word = text.strip()
    found = _CLIENT.fullmatch(word)
    if word in (AUTO, LOCAL) or (found is not None and 0 < int(found[3]) < 65536):
        return word
    raise ValueError(
        f'"{text}" is no address of a Ray cluster; write ray://HOST:10001, auto for the one that '
        "this machine belongs to, or local to start one here"
    )


def is_cluster(value: object) -> bool:
    """Return whether a value is an address that `parse_cluster` reads."""
    return isinstance(value, str) and _fits(parse_cluster, value)


def parse_root(text: str) -> tuple[Path, PurePosixPath]:
    """Read where a folder of media is on the workers, "HERE=THERE".

    Raises:
        ValueError: it says no such thing, with a sentence that says how to write it.
    """
    here, _, there = text.rpartition("=")
    if not Path(here).is_absolute() or not PurePosixPath(there).is_absolute() or "\0" in text:
        raise ValueError(
            f'"{text}" does not say where a folder is on the workers; write HERE=THERE with two '
            "full paths, such as /mnt/photos=/data/photos"
        )
    return Path(here), PurePosixPath(there)


def are_roots(value: object) -> bool:
    """Return whether values are what `parse_root` reads."""
    return isinstance(value, list | tuple) and all(
        isinstance(each, str) and _fits(parse_root, each) for each in value
    )


def path_there(path: Path, roots: Sequence[str]) -> str:
    """Return where a worker is to look for a file: the longest folder named decides."""
    fitting = [(here, there) for here, there in map(parse_root, roots) if path.is_relative_to(here)]
    if not fitting:
        return str(path)
    here, there = max(fitting, key=lambda root: len(root[0].parts))
    return str(there.joinpath(*path.relative_to(here).parts))


def _fits(parse: object, value: str) -> bool:
    assert callable(parse)
    try:
        parse(value)
    except ValueError:
        return False
    return True


def ray_is_installed() -> bool:
    """Return whether Ray is there, without importing it, which takes seconds."""
    return find_spec("ray") is not None
