"""Writes docs/licences.md: python -m tests.upkeep.licences

Each package of requirements.lock with the licence that its own metadata names.
"""

from __future__ import annotations

from importlib import metadata

from src.config import APPLICATION_FOLDER
from tests.upkeep.lock import pins

PAGE = APPLICATION_FOLDER / "docs" / "licences.md"
HEAD = """\
# Licences of others

The program itself is under the [MIT licence](../LICENSE), and so are the models in
`models/starter`. It is used with the packages below, which pip installs and which keep their own
licences. Read those before you pass an installed copy on: some of them bind whoever does.

- The ffmpeg that *imageio-ffmpeg* brings is under the GPL, version 3 or later. It runs as a
  program of its own. Where an `ffmpeg` is on the PATH, that one is used instead.
- The *nvidia-* packages, which torch brings on Linux, are proprietary software of NVIDIA.
- *opencv-python* brings FFmpeg's libraries and Qt, under the LGPL.
{more}
Written by `python -m tests.upkeep.licences` from what the packages of `requirements.lock` say.

| package | licence |
| --- | --- |
"""
# What a package brings beside its own code; said where the lock has it.
BESIDE = {
    "pillow-heif": "- *pillow-heif* brings libheif and libde265, under the LGPL, and x265, under "
    "the GPL.",
    "pillow-jxl-plugin": "- *pillow-jxl-plugin* is itself under the GPL, version 3 or later.",
    "rawpy": "- *rawpy*, which is optional, brings LibRaw, under the LGPL.",
}
# Where the metadata names none; as the package's own files say.
SAID_ELSEWHERE = {
    "segment-anything": "Apache-2.0 (its repository)",
    "cuda-toolkit": "NVIDIA, proprietary (it only names the packages of NVIDIA)",
}
MOST = 60  # characters; some metadata holds the whole text of a licence


def licence_of(name: str) -> str:
    """Say under which licence an installed package is."""
    about = metadata.metadata(name)
    classifiers = [
        line.split(" :: ")[-1]
        for line in about.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    said = {key: about[key].strip() for key in ("License", "License-Expression") if key in about}
    text = said.get("License", "")
    return (
        said.get("License-Expression")
        or SAID_ELSEWHERE.get(name)
        or (text if 0 < len(text) <= MOST and "\n" not in text else "")
        or ", ".join(classifiers)
        or "not said"
    )


def main() -> None:
    names = list(pins())
    more = "".join(f"{said}\n" for name, said in BESIDE.items() if name in names)
    rows = [f"| {name} | {licence_of(name)} |\n" for name in names]
    PAGE.write_text(HEAD.format(more=more) + "".join(rows), encoding="utf-8")
    print(f"{PAGE}: {len(rows)} packages")


if __name__ == "__main__":
    main()
