"""Labels: the list, what people say of segments by it, and that each act is undone as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError, QueryError
from src.label_records import LABEL_COLOURS, LabelAttribute
from src.labelling import Labels
from src.records import Tag
from src.search.query import GONE
from tests.conftest import add_media_with, unit_vectors

FIRST, SECOND, THIRD = (f"a.jpg-0000{number}" for number in (1, 2, 3))
COLOUR = LabelAttribute("colour", "choice", ("red", "blue"))
AGE = LabelAttribute("age", "number")


def no_vectors() -> None:
    raise AssertionError("no model is needed for this")


@pytest.fixture
def labels(metadata: MetadataDatabase) -> Labels:
    add_media_with(metadata, unit_vectors(5))
    return Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]


def names(labels: Labels) -> list[str]:
    return [label.name for label in labels.list()]


def tags(metadata: MetadataDatabase, segment_id: str) -> dict[str, str]:
    return {tag.name: tag.source for tag in metadata.tags_of([segment_id]).get(segment_id, ())}


def test_what_a_person_gives_or_makes_is_a_label_and_what_models_give_is_none(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    metadata.add_tags(FIRST, [Tag("plane", 0.5, "auto"), Tag("dog", 0.4, "auto")], "vocabulary")
    assert names(labels) == []
    labels.give([SECOND], "Dog")
    labels.add("empty", "#123456", [COLOUR, AGE])
    labels.accept_together([THIRD], "dog", [0.75])
    dog, empty = labels.list()
    assert (dog.name, dog.colour) == ("dog", LABEL_COLOURS[0])  # as it was written first
    assert (dog.segments, dog.accepted_together, dog.automatic) == (1, 1, 1)
    assert (empty.colour, empty.segments, empty.attributes) == ("#123456", 0, (COLOUR, AGE))
    assert labels.names().counts == [("dog", 2), ("empty", 0), ("plane", 0)]


def test_a_rejection_alone_makes_no_label(labels: Labels, metadata: MetadataDatabase) -> None:
    batch = labels.reject([FIRST], "dog")
    assert names(labels) == [] and metadata.removed_tags_of([FIRST]) == {FIRST: ("dog",)}
    assert labels.undo(batch) == 1 and metadata.removed_tags_of([FIRST]) == {}


@pytest.mark.parametrize("verb", ["give", "reject", "clear", "accept_together", "replace"])
def test_an_act_is_done_to_all_segments_or_to_none(
    labels: Labels, metadata: MetadataDatabase, verb: str
) -> None:
    more = {"accept_together": ([0.5, 0.5],), "replace": ("cat",)}.get(verb, ())
    with pytest.raises(QueryError, match=GONE):
        getattr(labels, verb)([FIRST, "gone"], "dog", *more)
    assert metadata.decisions_of([FIRST]) == {} and names(labels) == []


def test_accepting_together_leaves_what_people_said(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    labels.give([FIRST], "dog")
    labels.reject([SECOND], "dog")
    batch = labels.accept_together([FIRST, SECOND, THIRD], "DOG", [0.9, 0.8, 0.7])
    assert [tags(metadata, each) for each in (FIRST, SECOND, THIRD)] == [
        {"dog": "human"}, {}, {"dog": "propagated"}
    ]  # fmt: skip
    assert labels.undo(batch) == 1 and tags(metadata, THIRD) == {}
    with pytest.raises(QueryError, match="confidence of 0 to 1"):
        labels.accept_together([FIRST, SECOND], "dog", [0.9])
    with pytest.raises(QueryError, match="confidence of 0 to 1"):
        labels.accept_together([FIRST], "dog", [float("nan")])


def test_clear_takes_the_answer_back_and_the_model_speaks_again(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    metadata.add_tags(FIRST, [Tag("dog", 0.5, "auto")], "vocabulary")
    labels.reject([FIRST], "dog")
    labels.give([SECOND], "dog")
    batch = labels.clear([FIRST, SECOND], "dog")
    assert metadata.tags_of([FIRST, SECOND]) == {FIRST: (Tag("dog", 0.5, "auto"),)}
    assert metadata.removed_tags_of([FIRST]) == {} and names(labels) == ["dog"]
    labels.undo(batch)
    assert metadata.removed_tags_of([FIRST]) == {FIRST: ("dog",)}
    assert tags(metadata, SECOND) == {"dog": "human"}
    labels.redo(batch)
    assert tags(metadata, SECOND) == {}


def test_another_label_in_one_act(labels: Labels, metadata: MetadataDatabase) -> None:
    labels.give([FIRST], "dog")
    batch = labels.replace([FIRST], "dog", "cat")
    assert tags(metadata, FIRST) == {"cat": "human"}
    assert metadata.removed_tags_of([FIRST]) == {FIRST: ("dog",)}
    assert labels.undo(batch) == 2 and tags(metadata, FIRST) == {"dog": "human"}


def test_undoing_the_act_that_made_a_label_unmakes_it_unless_it_was_given_since(
    labels: Labels,
) -> None:
    batch = labels.give([FIRST], "dog")
    other = labels.give([SECOND], "dog")
    labels.undo(batch)
    assert names(labels) == ["dog"]
    labels.undo(other)
    assert names(labels) == ["dog"]  # made by the first, which is undone already
    batch = labels.give([FIRST], "cat")
    labels.undo(batch)
    assert names(labels) == ["dog"]
    labels.redo(batch)
    assert names(labels) == ["dog", "cat"]


def test_a_new_name_goes_everywhere_and_back(labels: Labels, metadata: MetadataDatabase) -> None:
    labels.give([FIRST], "dgo")
    labels.reject([SECOND], "dgo")
    batch = labels.rename("dgo", "dog")
    assert names(labels) == ["dog"] and tags(metadata, FIRST) == {"dog": "human"}
    assert metadata.removed_tags_of([SECOND]) == {SECOND: ("dog",)}
    assert labels.undo(batch) > 0
    assert names(labels) == ["dgo"] and tags(metadata, FIRST) == {"dgo": "human"}
    labels.redo(batch)
    assert names(labels) == ["dog"]
    labels.rename("dog", "Dog")
    assert names(labels) == ["Dog"]


def test_a_new_name_takes_nothing_from_what_models_say(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    metadata.add_tags(FIRST, [Tag("dog", 0.5, "auto")], "vocabulary")
    metadata.add_tags(SECOND, [Tag("hound", 0.6, "auto")], "vocabulary")
    labels.give([FIRST, THIRD], "dog")
    colour = labels.list()[0].colour
    batch = labels.rename("dog", "hound")
    assert tags(metadata, FIRST) == {"hound": "human", "dog": "auto"}
    assert tags(metadata, SECOND) == {"hound": "auto"}
    (hound,) = labels.list()
    assert (hound.name, hound.segments, hound.automatic) == ("hound", 2, 1)
    assert hound.colour == colour
    labels.undo(batch)
    assert names(labels) == ["dog"] and tags(metadata, FIRST) == {"dog": "human"}
    assert tags(metadata, SECOND) == {"hound": "auto"}


def test_a_name_that_another_label_has_is_refused(labels: Labels) -> None:
    for name in ("cat", "dog"):
        labels.add(name)
    with pytest.raises(QueryError, match="there is already a label “DOG”; merge the two"):
        labels.rename("cat", "DOG")
    with pytest.raises(QueryError, match="there is a label “Cat” already"):
        labels.add("Cat")
    with pytest.raises(QueryError, match="there is no label “bird”"):
        labels.rename("bird", "fish")
    batch = labels.rename("cat", "bird")
    labels.add("cat")
    with pytest.raises(QueryError, match="“cat” is the name of another tag by now"):
        labels.undo(batch)
    assert names(labels) == ["bird", "dog", "cat"]


def test_merged_labels_are_one(labels: Labels, metadata: MetadataDatabase) -> None:
    labels.give([FIRST], "cat")
    labels.give([SECOND], "kitten")
    labels.reject([SECOND], "cat")
    labels.reject([THIRD], "kitten")
    labels.accept_together(["a.jpg-00004"], "kitten", [0.5])
    metadata.add_tags(FIRST, [Tag("kitten", 0.5, "auto")], "vocabulary")
    before = labels.list()
    batch = labels.merge(["kitten"], "cat")
    (cat,) = labels.list()
    assert (cat.name, cat.segments, cat.accepted_together) == ("cat", 2, 1)
    assert tags(metadata, FIRST) == {"cat": "human", "kitten": "auto"}
    assert tags(metadata, SECOND) == {"cat": "human"}
    assert metadata.removed_tags_of([THIRD]) == {THIRD: ("cat",)}
    labels.undo(batch)
    assert labels.list() == before
    assert metadata.removed_tags_of([SECOND]) == {SECOND: ("cat",)}
    labels.redo(batch)
    assert labels.list() == [cat]
    with pytest.raises(QueryError, match="at least two"):
        labels.merge(["cat"], "Cat")


def test_several_become_a_new_one(labels: Labels) -> None:
    for name in ("cat", "dog"):
        labels.give([FIRST], name)
    labels.merge(["cat", "dog"], "pet")
    assert [(label.name, label.segments) for label in labels.list()] == [("pet", 1)]


def test_a_label_that_is_removed_is_off_everywhere_and_comes_back_whole(
    labels: Labels, metadata: MetadataDatabase
) -> None:
    metadata.add_tags(FIRST, [Tag("dog", 0.5, "auto")], "vocabulary")
    labels.add("dog", "#112233", [AGE])
    labels.add("cat")
    labels.give([FIRST, SECOND], "dog")
    labels.reject([THIRD], "dog")
    labels.set_attribute([FIRST], "dog", "age", 3)
    labels.answer_frame(1, 0, {"dog": False})
    before, values = labels.list(), labels.attributes_of([FIRST])
    batch = labels.remove("DOG")
    assert names(labels) == ["cat"]
    assert metadata.tags_of([FIRST, SECOND]) == {FIRST: (Tag("dog", 0.5, "auto"),)}
    assert metadata.removed_tags_of([THIRD]) == {} and metadata.frame_decisions(1) == {}
    assert labels.attributes_of([FIRST]) == {}
    assert labels.undo(batch) > 0
    assert labels.list() == before and labels.attributes_of([FIRST]) == values
    assert metadata.removed_tags_of([THIRD]) == {THIRD: ("dog",)}
    assert metadata.frame_decisions(1)[0][-1].has_tag is False


def test_order_and_colour(labels: Labels) -> None:
    for name in ("one", "two", "three"):
        labels.add(name)
    order = labels.reorder(["three", "one"])
    assert names(labels) == ["three", "one", "two"]
    colour = labels.set_colour("two", "#aabbcc")
    assert labels.list()[2].colour == "#aabbcc"
    labels.undo(order)
    assert names(labels) == ["one", "two", "three"] and labels.list()[1].colour == "#aabbcc"
    labels.undo(colour)
    assert labels.list()[1].colour == LABEL_COLOURS[1]
    with pytest.raises(QueryError, match="write it like #E6B450"):
        labels.set_colour("two", "blue")
    with pytest.raises(QueryError, match="there is no label “four”"):
        labels.reorder(["four"])


def test_each_new_label_has_a_colour_of_its_own_while_there_are_any(labels: Labels) -> None:
    for number in range(len(LABEL_COLOURS)):
        labels.add(f"label {number}")
    assert tuple(label.colour for label in labels.list()) == LABEL_COLOURS
    labels.remove("label 3")
    assert labels.add("new").colour == LABEL_COLOURS[3]


# -- attributes


def test_attributes_of_segments(labels: Labels, metadata: MetadataDatabase) -> None:
    labels.add("car", attributes=[COLOUR, AGE])
    metadata.add_tags(SECOND, [Tag("car", 0.5, "auto")], "vocabulary")
    labels.give([FIRST], "car")
    labels.set_attribute([FIRST], "car", "colour", "red")
    batch = labels.set_attribute([FIRST, SECOND], "CAR", "age", "2.5")
    assert labels.attributes_of([FIRST, SECOND]) == {
        FIRST: {"car": {"colour": "red", "age": 2.5}},
        SECOND: {"car": {"age": 2.5}},
    }
    assert tags(metadata, SECOND) == {"car": "human"}  # who says how old it is says what it is
    labels.undo(batch)
    assert labels.attributes_of([FIRST, SECOND]) == {FIRST: {"car": {"colour": "red"}}}
    assert tags(metadata, SECOND) == {"car": "auto"}
    labels.set_attribute([FIRST], "car", "colour", None)
    assert labels.attributes_of([FIRST]) == {}


def test_a_value_that_does_not_fit_is_refused(labels: Labels, metadata: MetadataDatabase) -> None:
    labels.add("car", attributes=[COLOUR, AGE])
    labels.give([FIRST], "car")
    for attribute, value, said in (
        ("colour", "green", "can't be 'green'; it can be: red, blue"),
        ("age", "old", "is a number up to 1,000,000, and 'old' is none"),
        ("age", float("nan"), "is a number"),
        ("size", 1, "has no attribute “size”; it has: colour, age"),
    ):
        with pytest.raises(QueryError, match=said):
            labels.set_attribute([FIRST], "car", attribute, value)
    with pytest.raises(QueryError, match="1 of these segments don't have the label “car”"):
        labels.set_attribute([FIRST, SECOND], "car", "age", 1)
    assert labels.attributes_of([FIRST, SECOND]) == {}
    with pytest.raises(QueryError, match="say what can be chosen"):
        labels.set_attributes("car", [LabelAttribute("size", "choice")])
    with pytest.raises(QueryError, match="the same name"):
        labels.set_attributes("car", [AGE, AGE])


def test_an_attribute_that_is_no_more_shows_nothing_until_it_is_again(labels: Labels) -> None:
    labels.add("car", attributes=[COLOUR, AGE])
    labels.give([FIRST], "car")
    labels.set_attribute([FIRST], "car", "age", 3)
    batch = labels.set_attributes("car", [COLOUR])
    assert labels.attributes_of([FIRST]) == {}
    labels.undo(batch)
    assert labels.attributes_of([FIRST]) == {FIRST: {"car": {"age": 3.0}}}


def test_merged_labels_keep_their_attributes(labels: Labels) -> None:
    labels.add("car", attributes=[COLOUR])
    labels.add("van", attributes=[LabelAttribute("colour", "choice", ("white",)), AGE])
    labels.give([FIRST], "car")
    labels.give([SECOND], "van")
    labels.set_attribute([FIRST], "car", "colour", "red")
    labels.set_attribute([SECOND], "van", "colour", "white")
    labels.set_attribute([SECOND], "van", "age", 4)
    before = labels.list()
    batch = labels.merge(["van"], "car")
    assert labels.list()[0].attributes == (
        LabelAttribute("colour", "choice", ("red", "blue", "white")),
        AGE,
    )
    assert labels.attributes_of([FIRST, SECOND]) == {
        FIRST: {"car": {"colour": "red"}},
        SECOND: {"car": {"colour": "white", "age": 4.0}},
    }
    labels.undo(batch)
    assert labels.list() == before
    assert labels.attributes_of([SECOND]) == {SECOND: {"van": {"colour": "white", "age": 4.0}}}


# -- lists of names


def test_names_from_a_text_file(labels: Labels, tmp_path: Path) -> None:
    labels.add("dog")
    file = tmp_path / "labels.txt"
    file.write_text("\ufeff# ours\n\ncat, #112233\nDOG,#445566\nbird  of prey\n", "utf-8")
    batch = labels.new_batch()
    assert [label.name for label in labels.import_names(file, batch)] == [
        "cat", "dog", "bird of prey"
    ]  # fmt: skip
    assert [(label.name, label.colour) for label in labels.list()] == [
        ("dog", "#445566"),
        ("cat", "#112233"),
        ("bird of prey", LABEL_COLOURS[0]),
    ]
    labels.undo(batch)
    assert [(label.name, label.colour) for label in labels.list()] == [("dog", LABEL_COLOURS[0])]


def test_a_list_with_a_wrong_line_does_nothing_and_says_which(
    labels: Labels, tmp_path: Path
) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(f"cat\n{'x' * 81}\nCat\ndog,#12\n", "utf-8")
    with pytest.raises(QueryError) as raised:
        labels.import_names(file)
    said = str(raised.value)
    assert "line 2: a tag has at most 80" in said and "line 3: “Cat” is there twice" in said
    assert "line 4: a colour is written like #E6B450" in said and "line 1" not in said
    assert names(labels) == []
    file.write_bytes(b"caf\xe9\n")
    with pytest.raises(MediaReadError, match="no UTF-8"):
        labels.import_names(file)
    with pytest.raises(MediaReadError):
        labels.import_names(tmp_path / "none.txt")
    file.write_text("# nothing\n")
    with pytest.raises(QueryError, match="no name in it"):
        labels.import_names(file)


@pytest.mark.parametrize("name", ["a\0b", "\0", "\x1b[31mred", "\u200b", "\u202e\u202c", "\ufeff"])
def test_a_name_that_can_not_be_stored_or_seen_is_refused(
    labels: Labels, metadata: MetadataDatabase, tmp_path: Path, name: str
) -> None:
    (tmp_path / "names.txt").write_text(f"dog\n{name}\n", encoding="utf-8")
    with pytest.raises(QueryError):
        labels.give(["a.jpg-00000"], name)
    with pytest.raises(QueryError):
        labels.add(name)
    with pytest.raises(QueryError, match="line 2"):
        labels.import_names(tmp_path / "names.txt")
    assert labels.list() == [] and metadata.damaged_rows() == []


def test_marks_of_direction_and_joined_emoji_are_parts_of_a_name(labels: Labels) -> None:
    for name in ("\u200fכלב", "👩‍🚒", "🐕"):
        labels.add(name)
    assert names(labels) == ["\u200fכלב", "👩‍🚒", "🐕"]


def test_what_is_no_text_is_no_label(labels: Labels) -> None:
    acts: list[Callable[[str], object]] = [
        labels.remove,
        labels.undo,
        labels.redo,
        lambda name: labels.rename(name, "dog"),
        lambda name: labels.merge([name], "dog"),
        lambda name: labels.reorder([name]),
        lambda name: labels.set_colour(name, "#112233"),
        lambda name: labels.answer_frame(1, 0, {name: True}),
        lambda name: labels.next_to_review([name]),
    ]
    for act in acts:
        with pytest.raises(QueryError, match="no character"):
            act("\udcff")


def test_a_label_is_found_as_it_is_typed(labels: Labels) -> None:
    labels.add("guide dog")
    labels.remove(" guide\n dog ")
    assert names(labels) == []


def test_a_value_of_no_kind_is_refused(labels: Labels) -> None:
    labels.add("dog", attributes=[LabelAttribute("age", "number")])
    labels.give(["a.jpg-00000"], "dog")
    for value in ([1], {}, 10**400):
        with pytest.raises(QueryError, match="is none"):
            labels.set_attribute(["a.jpg-00000"], "dog", "age", value)  # type: ignore[arg-type]
