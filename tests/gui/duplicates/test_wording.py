"""What the panel of near-duplicates says."""

from __future__ import annotations

from dataclasses import replace

from src.gui.duplicates.wording import count_of, facts_of, question_of_trash, title_of, word_of
from src.records import DuplicateGroup
from tests.search.test_best_copy import file

BEST, OTHER = file(1, "a.png", 4000, 5_200_000), file(2, "b.jpg", 2000, 80_000, None)
OPEN = DuplicateGroup(7, "open", (BEST, OTHER))
HIDDEN = DuplicateGroup(7, "hidden", (BEST, replace(OTHER, is_hidden=True)))


def test_a_group_says_what_was_decided() -> None:
    assert title_of(OPEN) == "2 files" and title_of(HIDDEN) == "2 files · others hidden"
    assert [word_of(OPEN, each) for each in OPEN.files] == ["Best", ""]
    assert [word_of(HIDDEN, each) for each in HIDDEN.files] == ["Kept", "Hidden"]
    assert count_of(0, 0) == "" and count_of(1, 1) == "1 group"
    assert count_of(12, 3) == "12 groups, 3 to decide"


def test_a_file_says_what_tells_it_from_its_copies() -> None:
    assert facts_of(BEST) == ("4,000 × 4,000 · PNG · 5.2 MB", "sharpness 100 · photos")
    assert facts_of(OTHER) == ("2,000 × 2,000 · JPG · 80 kB", "photos")


def test_the_question_before_the_trash_names_every_file() -> None:
    title, sentence = question_of_trash(BEST, [OTHER])
    assert title == "Move 1 file to the trash?"
    assert "/photos/b.jpg" in sentence and sentence.endswith("This file stays:\n/photos/a.png")
    many = [replace(OTHER, media=replace(OTHER.media, id=number)) for number in range(9)]
    assert "and 3 more" in question_of_trash(BEST, many)[1]
