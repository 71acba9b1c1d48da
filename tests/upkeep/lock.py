"""Writes requirements.lock: python -m tests.upkeep.lock

It holds the exact versions that are installed here, of what requirements.txt,
tests/requirements.txt and extras of pyproject.toml name, and of all that needs. pip takes it
as constraints (-c): what only another system needs is not in it, and is chosen by pip there.
Run it with the Python of an environment in which the tests pass.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from src.config import APPLICATION_FOLDER

LOCK = APPLICATION_FOLDER / "requirements.lock"
# Extras that no test imports; pip chooses their versions where somebody asks for them.
NOT_LOCKED = {"map"}
HEADER = """\
# Exact versions beside the ranges of requirements.txt and tests/requirements.txt, for two set-ups
# to be the same. Written by `python -m tests.upkeep.lock`; pip reads it as constraints (-c).
"""


def required() -> list[Requirement]:
    """What the program and its tests name themselves."""
    return [*of_the_program(), *_listed("tests/requirements.txt"), *_extras()]


def of_the_program() -> list[Requirement]:
    return _listed("requirements.txt")


def _listed(name: str) -> list[Requirement]:
    text = (APPLICATION_FOLDER / name).read_text(encoding="utf-8")
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def _extras() -> list[Requirement]:
    with (APPLICATION_FOLDER / "pyproject.toml").open("rb") as stream:
        extras = tomllib.load(stream)["project"].get("optional-dependencies", {})
    locked = [lines for name, lines in extras.items() if name not in NOT_LOCKED]
    return [Requirement(line) for lines in locked for line in lines]


def pins() -> dict[str, str]:
    """Read the lock: canonical name -> exact version."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {parts[0]: parts[1] for parts in pairs}


def disagreements(requirements: Iterable[Requirement], pinned: Mapping[str, str]) -> Iterator[str]:
    """Name each requirement that the lock has no version for, or one outside its range."""
    for requirement in requirements:
        version = pinned.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{requirement}: the lock has no version of it"
        elif version not in requirement.specifier:
            yield f"{requirement}: the lock has {version}"


def needed_here(requirements: Iterable[Requirement]) -> dict[str, str]:
    """Find the installed version of each requirement and of all that it needs on this system.

    Raises:
        SystemExit: one is not installed.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in requirements]
    while waiting:
        requirement, of = waiting.pop()
        name = canonicalize_name(requirement.name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError as exc:
            raise SystemExit(f"{requirement} is not installed{of}; install it first") from exc
        found[name] = distribution.version
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in distribution.requires or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append((needed, f", which {name} needs"))
    return dict(sorted(found.items()))


def main() -> None:
    found = needed_here(required())
    if wrong := list(disagreements(required(), found)):
        raise SystemExit("what is installed here is outside its range: " + "; ".join(wrong))
    lines = [f"{name}=={version}\n" for name, version in found.items()]
    LOCK.write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"{LOCK}: {len(found)} versions")


if __name__ == "__main__":
    main()
