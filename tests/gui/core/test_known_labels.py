"""The labels that are offered: by keys, and by what is typed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import Listeners
from src.label_records import Label
from src.search.completion import Names
from tests.direct_thread import DirectThread


def known(names: list[str], of_models: list[str]) -> tuple[KnownLabels, Any]:
    labels = [Label(name, "#5B96EE", segments=7) for name in names]
    every = Names([*((name, 7) for name in names), *((name, 0) for name in of_models)])
    verbs = SimpleNamespace(list=lambda: labels, names=lambda: every)
    session: Any = SimpleNamespace(
        read_only=False,
        signals=Listeners(),
        is_open=False,
        library=SimpleNamespace(labels=verbs),
        main_thread=DirectThread(),
    )
    found = KnownLabels(session)
    session.is_open = True
    session.signals.opened[0]()
    return found, labels


def test_the_first_nine_have_keys() -> None:
    labels, _ = known([f"label {n}" for n in range(1, 12)], [])
    assert [label.name for n in range(12) if (label := labels.with_key(n))] == [
        f"label {n}" for n in range(1, 10)
    ]
    notes = [each.note for each in labels.suggest("")]
    assert notes == [f"key {n}" for n in range(1, 10)]
    assert [(e.note, e.colour) for e in labels.suggest("label 11")] == []
    assert labels.suggest("label 1")[-1].note in ("key 1", "7")


def test_labels_come_before_the_tags_of_models_and_have_colours() -> None:
    labels, _ = known(["red block", "hand"], ["red", "block of wood"])
    found = labels.suggest(" RED ")
    assert [(each.text, each.kind, bool(each.colour)) for each in found] == [
        ("red block", "label", True),
        ("red", "tag", False),
    ]
    assert [each.text for each in labels.suggest("block")] == ["red block", "block of wood"]
    assert labels.suggest("hand") == [], "it is typed already"
    assert labels.suggest("cat") == []


def test_who_shows_labels_hears_of_others_and_of_nothing_else() -> None:
    labels, shown = known(["hand"], [])
    heard: list[str] = []
    labels.changed.append(lambda: heard.append("changed"))
    labels.read()
    assert not heard
    shown.append(Label("foot", "#F0686C"))
    labels.read()
    assert heard == ["changed"] and labels.with_key(2) == shown[1]
