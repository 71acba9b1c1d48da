"""What an export skips is one number before and after, with what it is made of."""

from __future__ import annotations

from src.datasets.labels import BELOW_CONFIDENCE
from src.datasets.media_counts import WHOLE_FRAMES
from src.gui.dialogs.export_details import skipped


def test_what_is_skipped_is_said_with_its_reasons_the_most_first() -> None:
    reasons = {WHOLE_FRAMES: 43, BELOW_CONFIDENCE: 1189}
    whys = (
        "tags below the minimum confidence (1,189); "
        "labels of whole frames, which this format can't hold (43)"
    )
    assert skipped(reasons, will=True) == f"1,232 will be skipped: {whys}"
    assert skipped(reasons, will=False) == f"1,232 skipped: {whys}"


def test_of_one_reason_the_number_is_said_once() -> None:
    said = skipped({BELOW_CONFIDENCE: 2, WHOLE_FRAMES: 0}, will=True)
    assert said == "2 will be skipped: tags below the minimum confidence"


def test_where_nothing_is_skipped_that_is_said_before_it_is_written_alone() -> None:
    assert skipped({}, will=True) == "Nothing will be skipped"
    assert skipped({WHOLE_FRAMES: 0}, will=False) == ""
