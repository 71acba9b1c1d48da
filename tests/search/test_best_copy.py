"""Which of several copies is suggested: sharp enough, then larger, then better kept."""

from __future__ import annotations

from pathlib import Path

from src.records import DuplicateFile, MediaFile
from src.search.best_copy import best_first


def file(
    number: int, name: str, side: int = 1000, size: int = 500, sharpness: float | None = 100
) -> DuplicateFile:
    media = MediaFile(
        number, Path("/photos") / name, name, "image", side, side, None, None, size, 0, "done",
        None, 0.0,
    )  # fmt: skip
    return DuplicateFile(media, None, sharpness, False)


def names(*files: DuplicateFile) -> list[str]:
    return [each.media.path.name for each in best_first(files)]


def test_more_pixels_are_better_than_a_better_format() -> None:
    assert names(file(1, "small.png", 500), file(2, "large.jpg")) == ["large.jpg", "small.png"]


def test_raw_comes_before_lossless_before_compressed_and_of_these_the_larger_file() -> None:
    files = [
        file(1, "weak.jpg", size=100),
        file(2, "good.jpg", size=400),
        file(3, "a.png", size=300),
        file(4, "a.DNG", size=200),
    ]
    assert names(*files) == ["a.DNG", "a.png", "good.jpg", "weak.jpg"]


def test_a_blurred_copy_comes_last_however_large_it_is_and_a_brighter_one_does_not() -> None:
    blurred, plain = file(1, "blurred.png", 2000, sharpness=10), file(2, "plain.jpg")
    brighter = file(3, "brighter.jpg", size=300, sharpness=180)
    assert names(blurred, plain, brighter) == ["plain.jpg", "brighter.jpg", "blurred.png"]


def test_of_the_same_the_first_that_was_added_is_suggested() -> None:
    unknown = file(3, "c.jpg", sharpness=None)
    assert names(unknown, file(2, "b.jpg"), file(1, "a.jpg")) == ["a.jpg", "b.jpg", "c.jpg"]
