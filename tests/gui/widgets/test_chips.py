"""Which chips there is room for, without a window."""

from __future__ import annotations

from src.gui.widgets.chips import Group, fitting


def chosen(room: float, *groups: Group) -> dict[str, list[str]]:
    """With a letter one wide, and names that take nothing."""
    found = fitting(groups, room, lambda name: 0, lambda text, count: len(text))
    return {name: [text for text, _ in chips] for name, chips in found}


def chips(*texts: str) -> list[tuple[str, str]]:
    return [(text, "") for text in texts]


def test_a_long_query_hides_no_tags() -> None:
    recent, tags = ("Recent", chips("q" * 90, "red")), ("Tags", chips("gray", "blue"))
    assert chosen(100, recent, tags) == {"Recent": ["red"], "Tags": ["gray", "blue"]}
    recent = "Recent", chips("q" * 300)
    assert chosen(100, recent, tags) == {"Tags": ["gray", "blue"]}


def test_what_does_not_fit_is_left_out() -> None:
    assert chosen(12, ("Tags", chips("gray", "blue", "green", "red"))) == {
        "Tags": ["gray", "blue", "red"]
    }
    assert chosen(3, ("Tags", chips("gray"))) == {}
