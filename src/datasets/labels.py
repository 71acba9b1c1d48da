"""Which classes a segment is exported under, by a recipe: decided here and nowhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from src.database.decisions import OF_PEOPLE
from src.database.text_normalization import casefold_key
from src.records import Tag
from src.search.recipe import Recipe

BELOW_CONFIDENCE = "tags below the minimum confidence"
ACCEPTED_TOGETHER = "labels that were accepted together, not one by one"
OTHER_WORD = "model tags on segments that people have labelled"
SEVERAL = "segments with several classes"
EQUALLY_SURE = "segments with two equally confident classes"
OTHER_CLASSES = "less confident classes of a segment"


@dataclass
class LabelRules:
    """A recipe's rules about labels.

    Attributes:
        classes: by the folded name of a tag, the class that it becomes.
        one_label: whether the format has room for one label only.
        left_out: how many there were of each reason, since the beginning.
        left_out_of: how many tags of each class were left out.
    """

    recipe: Recipe
    classes: Mapping[str, str]
    one_label: bool
    left_out: Counter[str] = field(default_factory=Counter)
    left_out_of: Counter[str] = field(default_factory=Counter)

    def labels_of(self, tags: Iterable[Tag]) -> list[Tag]:
        """Give the labels of a segment: tags by the names of their classes, each class once."""
        known = [tag for tag in tags if casefold_key(tag.name) in self.classes]
        by_people = [tag for tag in known if tag.source in OF_PEOPLE]
        labels: dict[str, Tag] = {}
        for tag in known:
            name = self.classes[casefold_key(tag.name)]
            reason = self._why_not(tag, by_people)
            if reason is not None:
                self._leave_out(reason, name)
            elif name not in labels or _surest((tag, labels[name])) is tag:
                labels[name] = Tag(name, tag.confidence, tag.source)
        return self._of_several(list(labels.values()))

    def _why_not(self, tag: Tag, by_people: Collection[Tag]) -> str | None:
        """Why a tag is not exported; an empty text where nobody needs to hear of it."""
        is_of_people = tag.source in OF_PEOPLE
        if self.recipe.labels == "people" and not is_of_people:
            return ACCEPTED_TOGETHER if tag.source == "propagated" else ""
        if self.recipe.labels == "accepted" and tag.source == "auto":
            return ""
        if self.recipe.labels == "models" and is_of_people:
            return ""
        if self.recipe.labels == "people first" and by_people and not is_of_people:
            return OTHER_WORD
        return BELOW_CONFIDENCE if tag.confidence < self.recipe.min_confidence else None

    def _of_several(self, labels: list[Tag]) -> list[Tag]:
        rule = self.recipe.several
        if rule == "all" and self.one_label:
            rule = "surest"
        if len(labels) < 2 or rule == "all":
            return labels
        if rule == "none":
            return self._none_of(labels, SEVERAL)
        best = _surest(labels)
        rivals = [tag for tag in labels if _sureness(tag) == _sureness(best)]
        if len(rivals) > 1:
            return self._none_of(labels, EQUALLY_SURE)
        for tag in labels:
            if tag is not best:
                self._leave_out(OTHER_CLASSES, tag.name)
        return [best]

    def _none_of(self, labels: list[Tag], reason: str) -> list[Tag]:
        self.left_out[reason] += 1
        self.left_out_of.update(tag.name for tag in labels)
        return []

    def _leave_out(self, reason: str, name: str) -> None:
        if reason:
            self.left_out[reason] += 1
            self.left_out_of[name] += 1


def _sureness(tag: Tag) -> tuple[bool, float]:
    return tag.source in OF_PEOPLE, tag.confidence


def _surest(tags: Iterable[Tag]) -> Tag:
    return max(tags, key=_sureness)
