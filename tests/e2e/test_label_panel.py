"""The Label panel over an empty window of this process, with labels kept in memory."""

from __future__ import annotations

import tkinter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from src.errors import QueryError
from src.events import FileDone
from src.gui.cards.card_view import CardPainter
from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import Listeners
from src.gui.label.label_panel import LabelPanel, LabelPanelActions, own_labels
from src.gui.label.rank_head import DOUBTFUL
from src.gui.label.rank_tab import RankTab
from src.gui.panel.panel import PanelContext
from src.gui.theme.pictures import CardSprites
from src.gui.theme.theme import DARK, Theme
from src.gui.widgets.dropdown import Dropdown
from src.label_records import LabelAttribute
from src.records import SearchHit
from tests.gui.label.fake_labels import FakeLabels
from tests.gui.label.test_rank_list import hits
from tests.gui.label.waiting_thread import WaitingThread

MANY = [f"s{number:03}" for number in range(120)]


class Desk:
    """The panel, with work in other threads that a test lets be done."""

    def __init__(self, root: Any, theme: Theme, names: list[str]) -> None:
        self.root, self.found = root, list(names)
        self.labels = FakeLabels(lambda _: hits(*self.found))
        self.thread, signals = WaitingThread(), Listeners()
        library = SimpleNamespace(
            labels=self.labels,
            browse=SimpleNamespace(is_empty=lambda: not self.found),
        )

        def tell() -> None:
            for listener in signals.content_changed:
                listener()

        session: Any = SimpleNamespace(
            read_only=False,
            only_to_write=lambda *_: None,
            main_thread=self.thread,
            signals=signals,
            library=library,
            is_open=True,
            models_ready=True,
            missing=SimpleNamespace(has=lambda _: False),
            tell_content_changed=tell,
        )
        thumbnails: Any = SimpleNamespace(
            want=lambda *_: None, get=lambda *_: None, read=lambda *_: np.zeros((8, 8, 3), np.uint8)
        )
        painter = CardPainter(theme, CardSprites(DARK, 1.0, ""), DARK.window)
        self.opened: list[int] = []
        self.examples: list[SearchHit] = []
        self.exported: list[str] = []
        self.signals = signals
        context = PanelContext(root, theme, session, thumbnails, painter, KnownLabels(session))
        self.panel = LabelPanel(
            context,
            LabelPanelActions(
                lambda _, place: self.opened.append(place),
                lambda _: None,
                lambda: self.examples,
                lambda: None,
                lambda: None,
                lambda: None,
                self.exported.append,
            ),
        )

    def show(self) -> None:
        self.panel.place(x=0, y=0, relwidth=1.0, relheight=1.0)
        self.settle()
        for listener in self.signals.opened:
            listener()
        self.panel.shown()
        self.settle()

    def settle(self) -> None:
        """Let all work in other threads be done, and the window be drawn."""
        self.root.update()
        while self.thread.waiting:
            self.thread.finish()
            self.root.update()

    @property
    def rank(self) -> RankTab:
        return self.panel.rank

    @property
    def ids(self) -> list[str]:
        return [each.segment_id for each in self.rank.list.candidates]

    @property
    def columns(self) -> int:
        return self.rank.grid_view.columns

    def press(self, *keys: str, state: int = 0) -> None:
        canvas = self.rank.grid_view.canvas
        canvas.focus_force()
        self.root.update()
        for key in keys:
            canvas.event_generate(f"<KeyPress-{key}>", state=state)
        self.root.update()

    def shown(self) -> str:
        signs = {"accepted": "+", "rejected": "-", "": "."}
        return "".join(signs[each.answer] for each in self.rank.list.candidates)


@pytest.fixture
def desk(empty_window: Any) -> Iterator[Desk]:
    empty_window.geometry("1040x700")
    theme = Theme(DARK, 1.0)
    theme.find_fonts(empty_window)
    desk = Desk(empty_window, theme, MANY)
    desk.labels.add("yellow block")
    desk.labels.add("red block")
    yield desk
    desk.panel.destroy()


def test_labels_are_read_before_anybody_goes_there(desk: Desk) -> None:
    for listener in desk.signals.opened:
        listener()
    desk.settle()  # nothing is drawn, and nothing ranked
    assert len(desk.panel.list.labels) == 2 and not desk.labels.asked
    desk.show()
    assert desk.ids == MANY


def test_after_ten_answers_what_was_not_looked_at_is_ranked_again(desk: Desk) -> None:
    desk.show()
    before, columns = desk.ids, desk.columns
    assert before == MANY and columns == 6
    desk.press(*"aaaaaxaaa")
    desk.settle()
    assert desk.shown()[:10] == "+++++-+++." and len(desk.labels.asked) == 1
    desk.found.reverse()
    desk.press("a")
    desk.settle()
    assert desk.labels.asked[-1] == ("yellow block", (), "best", 10)
    # the focus is in the second row: that one stays, and the next, which the eye is at
    assert desk.rank.grid_view.focused == 10
    assert desk.ids[: 3 * columns] == before[: 3 * columns]
    rest = [name for name in reversed(MANY) if name not in before[: 3 * columns]]
    assert desk.ids[3 * columns :] == rest


def test_a_row_is_accepted_and_taken_back_as_one(desk: Desk) -> None:
    desk.show()
    desk.press("x")
    desk.press("Left")
    desk.press("A", state=0x1)
    desk.settle()
    assert desk.shown()[: desk.columns + 1] == "-" + "+" * (desk.columns - 1) + "."
    assert desk.rank.grid_view.focused == desk.columns
    desk.panel.undo()
    desk.settle()
    assert desk.shown()[: desk.columns] == "-" + "." * (desk.columns - 1)
    assert desk.rank.grid_view.focused == 1
    desk.panel.redo()
    desk.settle()
    assert desk.shown().count("+") == desk.columns - 1


def test_caps_lock_changes_nothing_and_other_keys_with_ctrl_answer_nothing(desk: Desk) -> None:
    desk.show()
    desk.press("A", state=0x2)
    assert desk.shown()[:2] == "+."
    desk.press("x", state=0x4)
    desk.press("s", state=0x4)
    assert desk.shown().count("-") == 0 and desk.shown().count("+") == 1


def test_a_key_gives_another_label_and_the_card_says_which(desk: Desk) -> None:
    desk.show()
    desk.press("2")
    desk.settle()
    assert desk.labels.state["red block"][1] == {"s000": "human"}
    assert desk.labels.state["yellow block"][1] == {"s000": "no"}
    (view,) = desk.rank.list.views(0, 1)
    assert view.word == "red block" and desk.rank.grid_view.focused == 1
    desk.press("7")  # no label has it
    assert desk.shown()[1] == "."


def test_the_best_are_accepted_together_only_where_that_is_offered(desk: Desk) -> None:
    desk.show()
    assert not desk.rank.strip.accept.enabled
    desk.labels.acceptable = 20
    desk.press(*"a" * 10)
    desk.settle()
    assert desk.rank.strip.accept.enabled and desk.rank.strip.accept.text == "Accept top 20"
    desk.press("Return", state=0x4)
    desk.settle()
    has = desk.labels.state["yellow block"][1]
    assert list(has.values()).count("propagated") == 20 and list(has.values()).count("human") == 10
    assert desk.panel.hints.said == "20 segments accepted as “yellow block”."
    assert desk.shown()[:31] == "+" * 30 + "."
    desk.panel.undo()
    desk.settle()
    assert desk.shown()[:31] == "+" * 10 + "." * 21
    assert len(desk.labels.state["yellow block"][1]) == 10


def test_what_was_accepted_together_is_offered_again_once_it_is_taken_back(desk: Desk) -> None:
    desk.show()
    desk.labels.acceptable = 20
    desk.press(*"a" * 10)
    desk.settle()
    desk.press("Return", state=0x4)
    desk.settle()
    left = desk.rank.strip.left.value
    desk.panel.undo()
    desk.settle()
    assert desk.rank.strip.accept.text == "Accept top 20"
    assert int(desk.rank.strip.left.value) == int(left) + 20


def test_too_few_rejections_are_asked_for_where_nothing_can_be_accepted(desk: Desk) -> None:
    desk.show()
    desk.labels.rejections_wanted = 3
    desk.press(*"a" * 10)
    desk.settle()
    assert desk.rank.strip.sure.words[0] == "Reject at least 3 to accept many at once"
    desk.press("Return", state=0x4)
    assert "reject at least 3 that are not “yellow block”" in desk.panel.hints.said
    assert "Reject" in desk.rank.strip.sure.words[1] and not desk.rank.strip.accept.enabled


def test_what_is_taken_back_is_named(desk: Desk) -> None:
    desk.show()
    desk.press("x")
    desk.settle()
    desk.panel.undo()
    desk.settle()
    assert desk.panel.hints.said == "Undone: 1 segment rejected as “yellow block”."
    desk.panel.commands.set_attributes("yellow block", [LabelAttribute("tilt", "number")])
    desk.panel.undo()
    desk.settle()
    assert desk.panel.hints.said == "Undone: Attributes of “yellow block” changed."
    desk.panel._show_tab("Review")
    assert desk.panel.hints.said == "Each answer is saved"


def test_after_a_click_on_a_label_the_keys_are_for_its_cards(desk: Desk) -> None:
    desk.show()
    labels = desk.panel.list
    labels.focus_force()
    left, top, _, height = labels.box("red block")
    for event in ("<Button-1>", "<ButtonRelease-1>"):
        labels.event_generate(event, x=left + 9, y=top + height // 2)
    desk.settle()
    assert labels.chosen == "red block"
    assert desk.root.focus_get() is desk.rank.grid_view.canvas


def test_a_label_can_only_be_merged_into_another_label(desk: Desk) -> None:
    desk.show()
    suggested = desk.panel.list._others("red block", "")
    assert [each.text for each in suggested] == ["yellow block"]


def test_the_label_is_renamed_from_the_cards(desk: Desk) -> None:
    desk.show()
    desk.press("F2")
    entry = desk.panel.list.entry
    assert entry.is_open and entry.field is not None and entry.field.text == "yellow block"


def test_the_first_file_that_is_in_is_offered(desk: Desk) -> None:
    names, desk.found = desk.found, []
    desk.show()
    assert _words(desk)[0] == "Nothing to label yet"
    desk.found = names
    for listener in desk.signals.job_event:
        listener(SimpleNamespace(), FileDone(Path("a.jpg"), 1, 9))  # type: ignore[arg-type]
    desk.settle()
    assert desk.ids == names


def test_answers_given_meanwhile_are_not_accepted_again(desk: Desk) -> None:
    desk.show()
    desk.labels.acceptable = 5
    desk.press(*"a" * 10)
    desk.settle()
    offered = [hit.segment.id for hit in desk.rank._acceptable()]
    desk.press("x")
    assert desk.rank.strip.accept.text == "Accept top 4"
    assert [hit.segment.id for hit in desk.rank._acceptable()] == offered[1:]


def test_doubtful_ones_come_first_where_that_is_chosen(desk: Desk) -> None:
    desk.show()
    desk.rank.head._order.choose(DOUBTFUL)
    desk.settle()
    assert desk.ids == MANY[::-1] and desk.labels.asked[-1][2] == "doubtful"


def test_ranking_starts_from_what_is_selected_or_was_found(desk: Desk) -> None:
    desk.show()
    desk.press("s")
    assert "press S" in desk.panel.hints.said
    desk.examples = hits("s050", "s051")
    desk.press("s")
    desk.settle()
    assert desk.labels.asked[-1][1] == ("s050", "s051")
    desk.press("space", "Right", "Right", "space", "s")
    desk.settle()
    assert desk.labels.asked[-1][1] == ("s000", "s002") and not desk.rank.grid_view.selection
    asked = len(desk.labels.asked)
    desk.press("a")
    desk.settle()
    desk.press("s")
    desk.settle()
    assert len(desk.labels.asked) == asked and "by your answers" in desk.panel.hints.said


def test_what_is_selected_is_answered_together(desk: Desk) -> None:
    desk.show()
    desk.press("space", "Right", "Right", "space", "x")
    desk.settle()
    assert desk.shown()[:4] == "-.-." and desk.rank.grid_view.focused == 3
    desk.panel.undo()
    desk.settle()
    assert desk.shown()[:3] == "..."


def test_another_label_is_ranked_and_its_answers_are_its_own(desk: Desk) -> None:
    desk.show()
    desk.press("a")
    desk.press("Down", state=0x4)
    desk.settle()
    assert desk.panel.list.chosen == "red block" and "+" not in desk.shown()
    desk.press("x")
    desk.settle()
    assert desk.labels.state["red block"][1] == {"s000": "no"}


def test_attributes_are_set_on_the_chosen_card_which_has_the_label_then(desk: Desk) -> None:
    desk.labels.set_attributes(
        "yellow block",
        [LabelAttribute("side", "choice", ("front", "back")), LabelAttribute("tilt", "number")],
    )
    desk.show()
    row = desk.rank.attributes.row
    assert row.winfo_ismapped()
    row._menus["side"].choose("back")
    desk.settle()
    assert desk.shown()[0] == "+" and desk.labels.values["s000"]["yellow block"] == {"side": "back"}
    row._typed("tilt", "much")
    assert desk.labels.values["s000"]["yellow block"] == {"side": "back"}
    row._typed("tilt", "1,5")
    desk.settle()
    assert desk.labels.values["s000"]["yellow block"] == {"side": "back", "tilt": 1.5}
    desk.press("Right")
    desk.rank.attributes.show()
    desk.settle()
    assert row._menus["side"].value == "–"
    desk.press("Left")
    desk.rank.attributes.show()
    desk.settle()
    assert row._menus["side"].value == "back"
    row._menus["side"].choose("–")
    desk.settle()
    assert desk.labels.values["s000"]["yellow block"] == {"tilt": 1.5}


def test_without_labels_one_button_begins(desk: Desk) -> None:
    desk.labels.state = {}
    desk.show()
    (title, _, button, link) = _words(desk)
    assert (title, button, link) == (
        "Make your first label",
        "New label",
        "Import names from a text file",
    )
    desk.panel._add("yellow block")
    desk.settle()
    assert desk.panel.list.chosen == "yellow block" and desk.ids == MANY


def test_an_empty_library_asks_for_media(desk: Desk) -> None:
    desk.found.clear()
    desk.show()
    assert _words(desk)[::2] == ["Nothing to label yet", "Add Images/Videos"]


def test_what_can_not_be_ranked_says_why_and_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> Any:
        raise QueryError("the words of “yellow block” are not known")

    with monkeypatch.context() as patch:
        patch.setattr(desk.labels, "ranking", fail)
        desk.show()
    title, sentence, retry, other = _words(desk)
    assert title == "Couldn't rank “yellow block”" and "are not known" in sentence
    assert (retry, other) == ("Try again", "Start from a search")
    desk.rank.in_place._buttons[0].invoke()
    desk.settle()
    assert desk.ids == MANY


def test_a_name_that_leads_to_nothing_is_started_from_a_search(desk: Desk) -> None:
    desk.labels.rank = lambda _: hits(*MANY) if any(each[1] for each in desk.labels.asked) else []
    desk.show()
    assert _words(desk)[0] == "No examples of “yellow block” yet" and _words(desk)[2] == "Search"
    desk.examples = hits("s007", "s008")
    desk.panel.shown()
    desk.settle()
    assert _words(desk)[2:] == ["Start from 2 results", "Search again"]
    desk.rank.in_place._buttons[0].invoke()
    desk.settle()
    assert desk.labels.asked[-1][1] == ("s007", "s008") and desk.ids == MANY


def test_when_all_is_answered_that_is_said(desk: Desk) -> None:
    del desk.found[3:]
    desk.show()
    desk.press(*"aax")
    desk.settle()
    desk.press("Down", state=0x4)
    desk.settle()
    desk.press("Up", state=0x4)
    desk.settle()
    assert _words(desk)[0] == "Nothing left to answer"


def test_a_name_that_is_taken_is_asked_for_again(desk: Desk) -> None:
    desk.show()
    desk.panel._rename("red block", "yellow block")
    desk.settle()
    entry = desk.panel.list.entry
    assert entry.is_open and entry.field is not None and entry.field.text == "yellow block"
    assert "already" in entry.wrong
    assert list(desk.labels.state) == ["yellow block", "red block"]


def test_a_label_that_is_deleted_comes_back(desk: Desk) -> None:
    desk.show()
    desk.press("a")
    desk.settle()
    desk.panel._rested()
    desk.settle()
    desk.panel.commands.remove("yellow block")
    desk.settle()
    desk.panel._rested()
    desk.settle()
    assert list(desk.labels.state) == ["red block"] and desk.panel.list.chosen == "red block"
    assert desk.panel.hints.said == "“yellow block” removed from 1 segment."
    desk.panel.undo()
    desk.settle()
    desk.panel._rested()
    desk.settle()
    assert desk.panel.list.chosen == "yellow block"
    assert desk.labels.state["yellow block"][1] == {"s000": "human"}


def test_a_label_is_merged_into_another_one_that_is_typed(desk: Desk) -> None:
    desk.show()
    desk.press("a")
    desk.settle()
    desk.panel._merge("yellow block", "yellow block")
    assert desk.panel.list.entry.wrong == "Type the name of another label."
    desk.panel._merge("yellow block", "Red B")
    desk.settle()
    assert desk.labels.state["red block"][1] == {"s000": "human"}
    assert desk.panel.hints.said == "“yellow block” merged into “red block”."


def test_labels_are_moved_and_renamed(desk: Desk) -> None:
    desk.show()
    desk.panel.commands.move_by("red block", -1)
    desk.settle()
    desk.panel.commands.rename("red block", "red", lambda _: None)
    desk.settle()
    assert list(desk.labels.state) == ["red", "yellow block"]
    desk.panel.undo()
    desk.panel.undo()
    desk.settle()
    assert list(desk.labels.state) == ["yellow block", "red block"]


def _words(desk: Desk) -> list[str]:
    """What stands in the place of candidates: title, sentence, buttons."""
    here = desk.rank.in_place
    assert here.winfo_ismapped()
    said = [str(each.cget("text")) for each in (here._title, here._sentence)]
    return said + [button.text for button in here._buttons]


def write_attributes_of(desk: Desk, name: str, typed: str) -> Dropdown:
    """Open the attributes of a label, and type over what is there."""
    desk.panel.choose(name)
    chosen = desk.panel.chosen_label
    assert chosen is not None
    chosen.attributes()
    desk.root.update()
    (menu,) = [each for each in desk.root.winfo_children() if isinstance(each, Dropdown)]
    text = next(each for each in all_in(menu) if isinstance(each, tkinter.Text))
    text.delete("1.0", "end")
    text.insert("1.0", typed)
    desk.root.update()
    return menu


def all_in(widget: tkinter.Misc) -> Iterator[tkinter.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from all_in(child)


def test_a_click_beside_attributes_keeps_them_and_escape_drops_them(desk: Desk) -> None:
    desk.show()
    menu = write_attributes_of(desk, "yellow block", "size: small, large")
    menu.event_generate("<Button-1>", x=-20, y=-20)
    desk.settle()
    assert not menu.winfo_exists()
    size = LabelAttribute("size", "choice", ("small", "large"))
    assert desk.labels.state["yellow block"][0].attributes == (size,)
    assert desk.panel.hints.said == "Attributes of “yellow block” changed."
    menu = write_attributes_of(desk, "yellow block", "age: number")
    menu.event_generate("<Escape>")
    desk.settle()
    assert not menu.winfo_exists()
    assert desk.labels.state["yellow block"][0].attributes == (size,)


def test_attributes_that_cannot_be_read_stay_open_and_say_why(desk: Desk) -> None:
    desk.show()
    menu = write_attributes_of(desk, "yellow block", "size small")
    menu.event_generate("<Button-1>", x=-20, y=-20)
    desk.settle()
    assert menu.winfo_exists() and desk.labels.state["yellow block"][0].attributes == ()
    said = [each.cget("text") for each in all_in(menu) if isinstance(each, tkinter.Label)]
    assert any(text.startswith("Line 1: write a name, a colon") for text in said)
    menu.close()


def test_ctrl_a_selects_all_attributes(desk: Desk) -> None:
    desk.show()
    menu = write_attributes_of(desk, "yellow block", "size: small, large\nage: number")
    text = next(each for each in all_in(menu) if isinstance(each, tkinter.Text))
    text.event_generate("<Control-a>")
    assert text.get("sel.first", "sel.last") == "size: small, large\nage: number"
    menu.close()


def test_a_click_beside_attributes_that_are_as_they_were_is_no_act(desk: Desk) -> None:
    desk.show()
    menu = write_attributes_of(desk, "yellow block", "")
    menu.event_generate("<Button-1>", x=-20, y=-20)
    desk.settle()
    assert not menu.winfo_exists() and not desk.panel.acts.can_undo


def test_the_chosen_label_is_exported_as_people_gave_it(desk: Desk) -> None:
    desk.show()
    desk.panel.choose("red block")
    desk.panel.export.invoke()
    assert desk.exported == ["red block"]
    recipe = own_labels("red block")
    assert recipe.labels == "accepted" and [rule.tags for rule in recipe.classes] == [
        ("red block",)
    ]
    for name in ("red block", "yellow block"):
        desk.labels.remove(name)
    for listener in desk.signals.content_changed:
        listener()
    desk.settle()
    desk.panel.export.invoke()
    assert not desk.panel.export.enabled and desk.exported == ["red block"]
