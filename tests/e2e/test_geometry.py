"""Where things lie, in widgets over an empty window of this process."""

from __future__ import annotations

import itertools
import tkinter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from src.events import ClusterWorkers
from src.gui.core.job_state import JobState
from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import Listeners
from src.gui.detail.detail_header import DetailHeader
from src.gui.dialogs.export_footer import ExportFooter
from src.gui.jobs.job_strip import JobStrip
from src.gui.library.empty_state import EmptyState
from src.gui.models.model_row_view import Offered
from src.gui.panel.panel import PanelContext
from src.gui.search.results_line import NEW_IN_SHORT, NEW_SEGMENTS, ResultsLine
from src.gui.search.search_panel import BY_IMAGE, SearchPanel
from src.gui.theme.theme import DARK, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.timeline.timeline_side import TimelineSide
from src.gui.timeline.zoom_row import ZoomRow
from src.gui.widgets.controls import Button, panel_header
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.popup import _Menu
from src.gui.widgets.slider import Slider
from src.gui.widgets.thumb_strip import Thumb, ThumbStrip
from src.gui.widgets.tooltip import Tooltip, _all_inside
from src.search.query import Image
from tests.e2e.desktop import Screen


@pytest.fixture
def root(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DISPLAY", screen.display)
    root: Any = ctk.CTk()
    root.geometry("600x400")
    root.update()
    yield root
    root.update()
    root.destroy()


@pytest.fixture
def theme(root: Any) -> Theme:
    theme = Theme(DARK, 1.0)
    theme.find_fonts(root)
    return theme


def test_a_menu_is_as_wide_as_its_button_and_lies_in_the_window(root: Any, theme: Theme) -> None:
    chosen: list[str] = []
    names = ["One", "Two", "Three"]
    button = MenuButton(root, theme, names, chosen.append, width=300)
    button.place(relx=1.0, rely=1.0, anchor="se")
    root.update()
    button._open()
    root.update()
    (menu,) = (child for child in root.winfo_children() if isinstance(child, _Menu))
    assert menu.winfo_width() >= 300
    assert menu.winfo_x() + menu.winfo_width() <= root.winfo_width()
    assert menu.winfo_y() >= 0 and menu.winfo_y() + menu.winfo_height() <= button.winfo_y() + 4
    assert int(menu.cget("highlightthickness")) >= 1  # its border
    menu._rows[1].event_generate("<ButtonRelease-1>")
    root.update()
    assert chosen == ["Two"] and button.value == "Two" and not menu.winfo_exists()
    button._open()
    root.update()
    (menu,) = (child for child in root.winfo_children() if isinstance(child, _Menu))
    menu.focus_force()
    menu.event_generate("<Escape>")
    root.update()
    assert chosen == ["Two"] and not menu.winfo_exists()


def test_a_pointer_that_rests_where_a_menu_opens_chooses_nothing(root: Any, theme: Theme) -> None:
    chosen: list[str] = []
    button = MenuButton(root, theme, ["One", "Two", "Three"], chosen.append)
    button.pack()
    root.update()
    button._open()
    root.update()
    (menu,) = (child for child in root.winfo_children() if isinstance(child, _Menu))
    menu._rows[2].event_generate("<Enter>")
    assert menu._at == 0
    menu._rows[2].event_generate("<Motion>")
    assert menu._at == 2
    menu._rows[2].event_generate("<ButtonRelease-1>")
    root.update()
    assert chosen == ["Three"]


@pytest.mark.parametrize(("width", "offer"), [(280, NEW_IN_SHORT), (800, NEW_SEGMENTS)])
def test_the_offer_to_search_again_is_whole_beside_the_hits(
    root: Any, theme: Theme, width: int, offer: str
) -> None:
    root.geometry(f"{width}x400")
    line = ResultsLine(root, theme, (0, 12), *[lambda: None] * 2, lambda _: None)
    root.update()
    line.say("100 results", ["in 26 media files", "in 26 files"])
    line.offer_again(True)
    root.update()
    again = line._again
    assert again.text == offer
    assert again.winfo_width() >= again.winfo_reqwidth()
    assert again.winfo_x() + again.winfo_width() <= line.winfo_width()


def shown_session() -> Any:
    """A session as panels need it to be drawn."""
    return SimpleNamespace(
        signals=Listeners(),
        models_ready=False,
        jobs=[],
        read_only=False,
        only_to_write=lambda *_: None,
        tell_content_changed=lambda: None,
    )


def test_chips_begin_where_the_entry_does_at_any_scale(root: Any) -> None:
    nothing: Any = None
    work: Any = SimpleNamespace(changed=[])
    actions: Any = SimpleNamespace(open_timeline=None)
    session = shown_session()
    thumbnails: Any = SimpleNamespace(want=lambda *_: None, get=lambda *_: None)
    ctk.set_widget_scaling(1.5)
    try:
        root.geometry("900x600")
        context = PanelContext(
            root, Theme(DARK, 1.5), session, thumbnails, nothing, KnownLabels(session)
        )
        panel = SearchPanel(context, actions, nothing, work, nothing, nothing, nothing)
        panel.pack(fill="both", expand=True)
        root.update()
        assert panel.suggestions.chips.winfo_rootx() == panel.entry.winfo_rootx()
    finally:
        ctk.set_widget_scaling(1.0)


def test_titles_lie_at_one_height(root: Any, theme: Theme) -> None:
    middles, ends = [], []
    for ring_below in (False, True):
        panel = ctk.CTkFrame(root)
        header = panel_header(panel, theme, "Title", ring_below)
        panel.place(x=0, y=0, relwidth=1, relheight=1)
        root.update()
        (title,) = header.pack_slaves()
        middle = title.winfo_rooty() - panel.winfo_rooty() + title.winfo_height() / 2
        middles.append(middle)
        ends.append(header.winfo_y() + header.winfo_height() + (4 if ring_below else 0))
        panel.destroy()
    assert middles[0] == middles[1] and ends[0] == ends[1]


def test_a_ring_shows_the_keyboard_and_no_pointer(root: Any, theme: Theme) -> None:
    slider = Slider(root, theme, (0.0, 1.0), 0.5, lambda _: None)
    slider.pack()
    root.update()
    theme.shows_focus = False
    slider.focus_force()
    root.update()
    assert slider.cget("border_color") != DARK.accent
    slider.event_generate("<Right>")
    root.update()
    assert slider.cget("border_color") == DARK.accent


def test_an_export_ends_in_the_place_where_it_began(root: Any, theme: Theme) -> None:
    footer = ExportFooter(root, theme)
    footer.pack(fill="x")
    heights, opened = [], []
    footer.show_ready(lambda: None, lambda: None)
    root.update()
    heights.append(footer.winfo_height())
    footer.show_progress(lambda: None)
    root.update()
    heights.append(footer.winfo_height())
    folder = "datasets/" + "a long name " * 12 + "end"
    footer.show_outcome(
        "check",
        DARK.success,
        "3 crops exported",
        folder,
        ("Open folder", lambda: opened.append(folder)),
        ("Export again", lambda: None),
    )
    root.update()
    heights.append(footer.winfo_height())
    assert len(set(heights)) == 1
    main, other = (part for part in footer.winfo_children() if isinstance(part, Button))
    assert (main.text, other.text) == ("Open folder", "Export again")
    main.invoke()
    assert opened == [folder]
    assert main.winfo_x() + main.winfo_width() <= footer.winfo_width()


def test_strips_begin_at_the_margin_however_many_there_are(root: Any, theme: Theme) -> None:
    thumbnails: Any = SimpleNamespace(want=lambda *_: None, get=lambda *_: None)
    strip = ThumbStrip(root, theme, thumbnails, (58, 58), lambda _: None)
    strip.pack(fill="x")
    root.update()
    lefts, rights = [], []
    for count in (2, 50):
        strip.show([Thumb(str(number), Path("x")) for number in range(count)], "0")
        root.update()
        boxes = [strip.bbox(item) for item in strip.find_all()]
        lefts.append(min(box[0] for box in boxes))
        rights.append(max(box[2] for box in boxes))
    assert lefts[0] == lefts[1] == 0  # the ring; the picture begins where words do
    assert rights[1] <= strip.winfo_width()


def test_nothing_overlaps_at_the_first_start_in_the_least_window(root: Any, theme: Theme) -> None:
    root.geometry("664x512")  # what the window of 960 by 600 has for it
    state = EmptyState(root, theme, *3 * [lambda: None])
    state.pack(fill="both", expand=True)
    offer = Offered("Larger models know ordinary words and things. " * 2, fetching=False)
    work: Any = SimpleNamespace(changed=[], offer=offer, take_offer=None, decline_offer=None)
    state.offer(work, lambda: None)
    root.update()
    boxes = [
        (each.winfo_rooty(), each.winfo_rooty() + each.winfo_height())
        for each in _all_inside(state)
        if isinstance(each, tkinter.Label) and each.winfo_ismapped() and each.cget("text")
        if each.winfo_height() > 1
    ]
    assert len(boxes) > 5
    boxes.sort()
    assert boxes[0][0] >= state.winfo_rooty()
    assert boxes[-1][1] <= state.winfo_rooty() + state.winfo_height()
    rows = [box for box in boxes if box[1] - box[0] < 60]
    for over, under in itertools.pairwise(sorted(set(rows))):
        beside = abs(over[0] - under[0]) < 12
        assert beside or over[1] <= under[0], "lines lie over one another"


def test_the_place_among_results_stays_whole_while_a_mask_is_edited(
    root: Any, theme: Theme
) -> None:
    root.geometry("664x64")
    header = DetailHeader(root, theme, lambda: None, lambda _: None, lambda key: key)
    header.pack(fill="x")
    header.show_file("black cat sleeping on a chair in the sun.jpg", False)
    header.show_place("Result", 0, 12)
    header.show_moment("Editing segment 10 of 11")
    root.update()
    assert header._place.winfo_width() >= header._place.winfo_reqwidth()


def test_the_corners_of_a_dialog_are_round_over_any_picture(root: Any, theme: Theme) -> None:
    overlay = Overlay(root, theme)
    dialog = overlay.open(300)
    ctk.CTkFrame(dialog, height=200, fg_color="transparent").grid()
    root.update()
    corners = [
        child
        for child in dialog.winfo_children()
        if isinstance(child, tkinter.Label) and child.winfo_ismapped()
    ]
    places = {(c.winfo_rootx(), c.winfo_rooty()) for c in corners}
    left, top = dialog.winfo_rootx(), dialog.winfo_rooty()
    right = left + dialog.winfo_width() - corners[0].winfo_width()
    bottom = top + dialog.winfo_height() - corners[0].winfo_height()
    assert places == {(x, y) for x in (left, right) for y in (top, bottom)}


@pytest.mark.parametrize("width", [720, 1040])
def test_what_can_be_done_with_a_part_of_an_image_is_whole(
    root: Any, theme: Theme, width: int
) -> None:
    nothing: Any = None
    session = shown_session()
    thumbnails: Any = SimpleNamespace(want=lambda *_: None, get=lambda *_: None)
    root.geometry(f"{width}x536")
    context = PanelContext(root, theme, session, thumbnails, nothing, KnownLabels(session))
    work: Any = SimpleNamespace(changed=[])
    actions: Any = SimpleNamespace(open_timeline=None)
    panel = SearchPanel(context, actions, nothing, work, nothing, nothing, nothing)
    panel.pack(fill="both", expand=True)
    panel.enter(BY_IMAGE)
    root.update()
    panel.use_image(Image(np.zeros((3000, 4000, 3), np.uint8)))
    panel.image.query.mark((100, 100, 2600, 2500))
    root.update()
    assert panel.image.query.winfo_height() >= 96 and panel.image.button.winfo_ismapped()
    below = panel.image.button.winfo_rooty() + panel.image.button.winfo_height()
    assert below <= panel.winfo_rooty() + panel.winfo_height()
    button = panel.image._whole
    row = button.master
    assert button.winfo_ismapped() and button.winfo_width() >= button.winfo_reqwidth()
    assert button.winfo_x() >= 0
    assert button.winfo_x() + button.winfo_width() <= row.winfo_width()


def test_what_does_not_fit_into_the_strip_is_left_out_whole(root: Any, theme: Theme) -> None:
    strip = JobStrip(root, theme, *[lambda: None] * 5)
    strip.pack(fill="x")
    job = JobState(files=12000, file_number=1234, path=Path("/a/photo of a street.jpg"))
    job.segments, job.workers = 123456, ClusterWorkers(("studio",) * 14, ("cuda",) * 14)
    for width in (1000, 760, 720):
        root.geometry(f"{width}x400")
        root.update()
        for _ in range(2):
            strip.show(job, waiting=2)
            root.update()
        said, part = strip.text, strip.text.split("   ")
        assert set(part[1:]) <= {"123,456 segments", "2 more waiting"}, said
        font = theme.canvas_font(root)
        assert font.measure(strip._detail.cget("text")) <= strip._detail.winfo_width()
        assert strip._workers.text == "14 workers" and strip._workers.winfo_ismapped()
    assert len(part) < 3 and strip._tip.text.endswith("2 more waiting")


def test_what_the_workers_do_is_shown_on_demand_until_the_job_is_over(
    root: Any, theme: Theme
) -> None:
    strip = JobStrip(root, theme, *[lambda: None] * 5)
    strip.pack(side="bottom", fill="x")
    job = JobState(name="Adding")
    strip.show(job, waiting=0)
    root.update()
    button = strip._workers
    assert not button.winfo_ismapped()
    job.workers = ClusterWorkers(("studio",), ("cuda",), (1,))
    strip.show(job, waiting=0)
    root.update()
    button.invoke()
    assert button.lines == ["studio", "GPU", "1"]
    job.workers = ClusterWorkers(("studio", "attic"), ("cuda", "cpu"), (2, 0))
    strip.show(job, waiting=0)
    root.update()
    assert button.lines == ["attic\nstudio", "CPU\nGPU", "0\n2"] and button.text == "2 workers"
    menu = button._list
    assert menu is not None and menu.winfo_height() >= menu.winfo_reqheight()
    assert menu.winfo_rooty() + menu.winfo_height() <= strip.winfo_rooty() + strip.winfo_height()
    strip.show_outcome(job, failed=0)
    root.update()
    assert not button.lines and not button.winfo_ismapped() and not menu.winfo_exists()


def test_a_job_that_is_asked_to_stop_is_asked_once(root: Any, theme: Theme) -> None:
    asked: list[str] = []
    strip = JobStrip(root, theme, lambda: asked.append("cancel"), *[lambda: None] * 4)
    strip.pack(fill="x")
    job = JobState(name="Adding")
    strip.show(job, waiting=0)
    strip.button.invoke()
    job.cancelling = True
    strip.show(job, waiting=0)
    strip.button.invoke()
    assert asked == ["cancel"] and strip.button.text == "Cancelling…"


def shown_text(of: Any) -> str:
    """Return what a label of CustomTkinter says."""
    return str(of.cget("text"))


@pytest.mark.parametrize("width", [320, 440])
def test_beside_a_longer_clock_the_buttons_are_whole(root: Any, theme: Theme, width: int) -> None:
    nothing: Any = lambda *_: None  # noqa: E731 - stands for whatever is asked of it
    labels: Any = SimpleNamespace(suggest=lambda _: [], only_to_give=nothing)
    thumbnails: Any = SimpleNamespace(want=nothing, get=nothing)
    actions: Any = SimpleNamespace()
    for name in (
        "step label leave split join take_out play search parts tag export rates sample save_clip"
        " clear"
    ).split():
        setattr(actions, name, nothing)
    side = TimelineSide(root, theme, thumbnails, labels, actions, actions)
    side.configure(width=width, height=300)
    side.place(x=0, y=0)
    root.update()
    side.show_moment("0:03.50", "frame 10 of 16", False, False)
    root.update()
    whole = side.next.winfo_reqwidth()
    assert [each.winfo_width() for each in (side.play, side.previous, side.next)] == [whole] * 3
    assert shown_text(side._place) == ("10 of 16" if width < 400 else "frame 10 of 16")
    place = side._place
    assert place.winfo_width() >= place.winfo_reqwidth()
    assert place.winfo_x() + place.winfo_width() <= side.play.winfo_x()


def test_a_sentence_above_the_timeline_is_cut_at_its_end(root: Any, theme: Theme) -> None:
    row = ZoomRow(root, theme, lambda _: None, lambda: None)
    row.configure(width=600)
    row.place(x=0, y=0)
    row.show(11, "")
    root.update()
    row.say("No track")
    root.update()
    assert shown_text(row._said) == "No track"
    row.say("A sentence that is longer than what stands between the lanes and the slider, by far.")
    root.update()
    said = shown_text(row._said)
    assert said.startswith("A sentence that") and said.endswith("…")
    assert theme.canvas_font(row, SMALL).measure(said) <= row._said.winfo_width()


@pytest.mark.parametrize("x", [0, 560])
def test_a_tooltip_lies_in_the_window(root: Any, theme: Theme, x: int) -> None:
    button = Button(root, theme, "Short", lambda: None)
    button.place(x=x, y=50)
    tooltip = Tooltip(button, theme, "A text that is much wider than the button it is about")
    root.update()
    tooltip._show()
    root.update()
    assert tooltip._shown is not None
    left, wide = tooltip._shown.winfo_rootx(), tooltip._shown.winfo_width()
    assert root.winfo_rootx() <= left
    assert left + wide <= root.winfo_rootx() + root.winfo_width()
    Tooltip.hide()
