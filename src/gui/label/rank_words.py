"""What stands in the place of candidates, as long as there are none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from src.counting import counted
from src.gui.label.in_place import Way

if TYPE_CHECKING:
    from src.gui.label.rank_tab import RankTab

LOADING = ("Loading models", "Candidates will be here in a moment.")
MODELS_FAILED = ("The models couldn't be loaded", "See Models for the reason.")
EMPTY = ("Nothing to label yet", "Add photos or videos, and what is in them can be labelled.")
NO_LABELS = (
    "Make your first label",
    "Name something that is in your photos or videos, then say yes or no to a few segments: the "
    "rest is ranked by your answers.",
)


def words_in_place(tab: RankTab) -> tuple[tuple[str, str] | None, Way | None, Way | None]:
    """Return a title and a sentence, the main button and another way; None for candidates."""
    tools, label = tab.tools, tab.label
    if not tab.session.is_open:
        return LOADING, None, None
    if tools.is_empty():
        return EMPTY, ("Add Images/Videos", tools.add_media), None
    if label is None:
        other = ("Import names from a text file", tools.import_names)
        return NO_LABELS, ("New label", tools.add_label), other
    if len(tab.list):
        return None, None, None
    if tab.models_failed:
        return MODELS_FAILED, None, None
    if not tab.session.models_ready:
        return LOADING, None, None
    if tab.failed is not None:
        retry = ("Try again", partial(tab.rank_again, from_start=True))
        words = f"Couldn't rank “{label.name}”", tab.failed[0]
        return words, retry, ("Start from a search", tools.search)
    if tab.ranked is None or tab.requests.is_busy:
        return ("Ranking…", f"Looking for what is like “{label.name}”."), None, None
    if not (tab.ranked.ranking.accepted or tab.ranked.ranking.rejected):
        return _no_examples(tab, label.name)
    said = f"Every segment has an answer for “{label.name}”."
    return ("Nothing left to answer", said), None, None


def _no_examples(tab: RankTab, name: str) -> tuple[tuple[str, str] | None, Way | None, Way | None]:
    """Say how to begin where the words of a label lead to nothing."""
    title = f"No examples of “{name}” yet"
    examples = [hit.segment.id for hit in tab.tools.examples()]
    if not examples:
        said = "The search model doesn't know this name. Search for something like it, then return."
        return (title, said), ("Search", tab.tools.search), None
    said = "The search model doesn't know this name. Start from what your last search found."
    start = f"Start from {counted(len(examples), 'result')}", partial(tab.start_from, examples)
    return (title, said), start, ("Search again", tab.tools.search)
