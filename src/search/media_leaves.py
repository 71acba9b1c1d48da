"""Conditions on where, when and with what a photo or film was taken, in the words of a search."""

from __future__ import annotations

import json
from dataclasses import dataclass

from src.database.conditions import Condition
from src.database.media_facts import CAMERA, FOLDER
from src.database.rows import LISTED
from src.database.text_normalization import casefold_key
from src.search.filters import Filter, Leaf, leaf
from src.search.leaves import TakenIn, on_media, read_date
from src.search.tokens import Value, in_quotes


@leaf("in", "in:holiday")
@dataclass(frozen=True)
class InFolder(Leaf):
    """The media file is in a folder, or below it.

    Attributes:
        folder: a whole path, or a part of one in whichever case: `holiday` is in
            /photos/Holidays and /photos/2020/our holiday.
    """

    folder: str

    def condition(self) -> Condition:
        folder = casefold_key(self.folder.replace("\\", "/"))
        if folder.startswith("/") or folder[1:3] == ":/":
            sql, folder = f"instr(casefold_key({FOLDER}), ?) = 1", f"{folder.rstrip('/')}/"
        else:
            sql = f"instr(casefold_key({FOLDER}), ?)"
        return Condition(on_media(sql), (folder,))

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(value.only())

    def written(self) -> str:
        return f":{in_quotes(self.folder)}"


@leaf("camera", "camera:canon")
@dataclass(frozen=True)
class TakenWith(Leaf):
    """The maker and model of the camera hold one of some texts, in whichever case."""

    cameras: tuple[str, ...]

    def condition(self) -> Condition:
        return Condition(
            on_media(f"EXISTS (SELECT 1 FROM {LISTED} WHERE instr(casefold_key({CAMERA}), value))"),
            (json.dumps([casefold_key(camera) for camera in self.cameras]),),
        )

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(value.listed())

    def written(self) -> str:
        return f":{','.join(map(in_quotes, self.cameras)) or 'none'}"


@leaf("after", "after:2024-01-01")
@dataclass(frozen=True)
class TakenAfter(Leaf):
    """The photo or film was taken in a year, month, day or moment, or later; see TakenIn."""

    date: str

    def condition(self) -> Condition:
        return TakenIn(first=self.date).condition()

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(read_date(value.only()))

    def written(self) -> str:
        return f":{self.date}"


@leaf("before", "before:2024-05")
@dataclass(frozen=True)
class TakenBefore(Leaf):
    """The photo or film was taken before a year, month, day or moment began; see TakenIn."""

    date: str

    def condition(self) -> Condition:
        return TakenIn(last=self.date, is_strict=True).condition()

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(read_date(value.only()))

    def written(self) -> str:
        return f":{self.date}"
