"""What a dataset is to be: which segments, under which labels, as which images, in which format."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from src.database.text_normalization import casefold_key
from src.errors import QueryError
from src.records import ImageForm
from src.search.filter_text import parse_filter
from src.search.filters import EVERYTHING, Filter

# Whose labels are exported: all; those of people; those of people with what they accepted together;
# those of models; those of people, and of models only where no person has labelled the segment.
Labels = Literal["all", "people", "accepted", "models", "people first"]
# What becomes of a segment with several classes: it has them all; only the surest, a person's word
# before a model's; it is left out.
Several = Literal["all", "surest", "none"]
DEFAULT_FORMAT = "tag_folders"
_ARROW = "->"


@dataclass(frozen=True)
class ClassRule:
    """A class of a dataset, and the tags that become it."""

    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """How a dataset is made of a library; the same recipe makes the same dataset again.

    Attributes:
        where: which segments.
        limits: which of them are good enough; the others are counted as left out.
        labels: whose.
        min_confidence: tags that are less sure are left out, and counted so; 0 to 1.
        classes: in their order; without any, each tag is a class of its own, in the order of names.
        several: what becomes of a segment with several classes.
        images: what the images are; None for what the format usually has.
        background: whether frames that a person has confirmed to hold none of the classes are
            images without annotations.
        only_reviewed: whether frames are left out in which a person has not said of each class
            whether it is there.
        most_per_class: annotations of a class at most; None for all of them.
        split: shares of training, validation and test, as "80/10/10"; empty for no split.
        seed: of the split.
        format: the key of an export format.
        options: of the format, by name; those left out are at their defaults.
    """

    where: Filter = EVERYTHING
    limits: Filter = EVERYTHING
    labels: Labels = "all"
    min_confidence: float = 0.0
    classes: tuple[ClassRule, ...] = ()
    several: Several = "all"
    images: ImageForm | None = None
    background: bool = True
    only_reviewed: bool = False
    most_per_class: int | None = None
    split: str = ""
    seed: int = 1
    format: str = DEFAULT_FORMAT
    options: Mapping[str, object] = field(default_factory=dict)


def classes_of(*tags: str) -> tuple[ClassRule, ...]:
    """Make each tag a class of its own."""
    return tuple(ClassRule(tag, (tag,)) for tag in tags)


def with_other_tags(classes: Sequence[ClassRule], tags: Iterable[str]) -> tuple[ClassRule, ...]:
    """Add each tag that is in no class, as a class of its own or to the class of its name.

    Returns:
        All classes, by their names from A to Z.
    """
    rules = {casefold_key(rule.name): rule for rule in classes}
    taken = {casefold_key(tag) for rule in classes for tag in rule.tags}
    for tag in tags:
        key = casefold_key(tag)
        if key not in taken:
            taken.add(key)
            known = rules.get(key, ClassRule(tag, ()))
            rules[key] = ClassRule(known.name, (*known.tags, tag))
    return tuple(rules[key] for key in sorted(rules))


def parse_classes(text: str) -> tuple[ClassRule, ...]:
    """Read classes as a person types them, one a line or between semicolons.

    `dog` is a class by itself, `car, truck -> vehicle` makes two tags one class, and
    `lorry -> truck` gives a tag another name.

    Raises:
        QueryError: it is no list of classes, or a tag would be in two of them.
    """
    rules: dict[str, ClassRule] = {}
    taken: set[str] = set()
    for line in text.replace(";", "\n").splitlines():
        if not line.strip():
            continue
        left, arrow, name = line.partition(_ARROW)
        tags = tuple(" ".join(tag.split()) for tag in left.split(",") if tag.strip())
        names = [" ".join(name.split())] if arrow else list(tags)
        if not tags or not all(names) or _ARROW in name:
            raise QueryError(f'"{line.strip()}" is no class; write "car, truck -> vehicle"')
        for one in names:
            of_it = tags if arrow else (one,)
            for tag in of_it:
                if casefold_key(tag) in taken:
                    raise QueryError(f'the tag "{tag}" is in two classes')
                taken.add(casefold_key(tag))
            known = rules.get(casefold_key(one), ClassRule(one, ()))
            rules[casefold_key(one)] = ClassRule(known.name, known.tags + of_it)
    return tuple(rules.values())


def classes_text(classes: tuple[ClassRule, ...]) -> str:
    """Write classes as `parse_classes` reads them, one a line."""
    return "\n".join(
        rule.name if rule.tags == (rule.name,) else f"{', '.join(rule.tags)} {_ARROW} {rule.name}"
        for rule in classes
    )


def recipe_to_json(recipe: Recipe) -> str:
    """Write a recipe as text, the same for the same recipe."""
    values: dict[str, Any] = {
        each.name: getattr(recipe, each.name) for each in dataclasses.fields(Recipe)
    }
    values |= {"where": str(recipe.where), "limits": str(recipe.limits)}
    values["classes"] = [[rule.name, list(rule.tags)] for rule in recipe.classes]
    values["options"] = dict(sorted(recipe.options.items()))
    return json.dumps(values, ensure_ascii=False, sort_keys=True)


def recipe_from_json(text: str) -> Recipe:
    """Read what recipe_to_json wrote; what an older one lacks is at its default.

    Raises:
        QueryError: it is no recipe, or one of a newer version.
    """
    try:
        values = json.loads(text)
        values["where"] = parse_filter(values.get("where", ""))
        values["limits"] = parse_filter(values.get("limits", ""))
        values["classes"] = tuple(
            ClassRule(str(name), tuple(str(tag) for tag in tags))
            for name, tags in values.get("classes", ())
        )
        return checked_recipe(Recipe(**values))
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise QueryError(f"this is no recipe that this version can read ({exc})") from exc


def checked_recipe(recipe: Recipe) -> Recipe:
    """Return a recipe whose values are all such as can be chosen.

    Raises:
        QueryError: one is not.
    """
    choices = {
        "labels": (recipe.labels, get_args(Labels)),
        "several": (recipe.several, get_args(Several)),
        "images": (recipe.images, (None, *get_args(ImageForm))),
    }
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            raise QueryError(f"{name}: {value!r} is none of {', '.join(map(str, allowed))}")
    least = recipe.min_confidence
    if not isinstance(least, int | float) or not 0 <= least <= 1:
        raise QueryError(f"min_confidence: {least!r} is not a number from 0 to 1")
    most = recipe.most_per_class
    if most is not None and (type(most) is not int or most < 1):
        raise QueryError(f"most_per_class: {most!r} is not a whole number from 1 on")
    if type(recipe.seed) is not int or not -(2**63) <= recipe.seed < 2**63:
        raise QueryError(f"seed: {recipe.seed!r} is not a whole number of at most 64 bits")
    return recipe
