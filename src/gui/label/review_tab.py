"""The tab "Review": frame by frame, whether each holds more of a label than is marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from src.counting import place_in_file
from src.gui.core.known_labels import KEYS
from src.gui.core.wording import reason_and_details
from src.gui.label.label_tab import LabelTab, LabelTools
from src.gui.label.review_labels import ReviewLabels
from src.gui.label.review_picture import ReviewPicture
from src.gui.label.review_queue import Looked, ReviewQueue
from src.gui.panel.panel import PanelContext
from src.gui.theme.icons import icon
from src.gui.theme.theme import LEFT, RIGHT, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label, progress_bar, rule
from src.gui.widgets.key_bindings import bind_key
from src.label_records import Label
from src.records import FrameView

NO_LABELS = "There are no labels yet. Make one under Rank, or label something in the results."
NOTHING_TICKED = "Choose at the left which labels to look for."
ALL_LOOKED_AT = "All frames were looked at for {}."
EMPTY = "There are no frames yet. Add photos or videos to review them."
NOT_LOOKED_AT = "Not looked at yet"
NONE_HERE, NO_MORE = "Looked at: none here", "Looked at: no more here"
SOME_UNMARKED = "Looked at: some have no mark"


class ReviewTab(LabelTab):
    """A says that there are no more, X that some have no mark; N and P go about."""

    name = "Review"
    key_hints = (
        (("A",), "no more of these"),
        (("X",), "some have no mark"),
        (("N",), "next"),
        (("P",), "previous"),
        (("O",), "open"),
        (("1–9",), "look for"),
        (("Ctrl", "Z"), "undo"),
    )
    has_list = False

    def __init__(self, master: Any, context: PanelContext, tools: LabelTools) -> None:
        super().__init__(master, context, tools)
        theme = self.theme
        self._begun = False
        self.queue = ReviewQueue(self.session, tools.acts, self._show, _why_not)
        self.labels = ReviewLabels(self, theme, self._ticked)
        self.labels.pack(side="left", fill="y")
        rule(self, theme).pack(side="left", fill="y")
        main = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        main.pack(side="left", fill="both", expand=True, padx=(LEFT, RIGHT), pady=(16, 8))
        self._build_head(main)
        self._build_buttons(main)
        self.picture = ReviewPicture(main, theme, self.session.main_thread, tools.open)
        self.picture.pack(fill="both", expand=True)
        self._bind_keys()

    def _build_head(self, main: ctk.CTkFrame) -> None:
        theme, c = self.theme, self.theme.colours
        head = ctk.CTkFrame(main, fg_color="transparent", height=32)
        head.pack(fill="x")
        head.pack_propagate(False)
        self._progress = label(head, theme, "", weight="medium")
        self._progress.pack(side="left")
        tip = "The next frame that was not looked at (N)"
        self._next = IconButton(head, theme, "right", tip, self.queue.next, side=24)
        self._next.pack(side="right")
        self._before = IconButton(
            head, theme, "left", "The previous frame (P)", self.queue.before, side=24
        )
        self._before.pack(side="right")
        self._bar = progress_bar(main, theme)
        self._bar.set(0)
        self._bar.pack(fill="x", pady=(4, 8))
        line = ctk.CTkFrame(main, fg_color="transparent", height=24)
        line.pack(fill="x", pady=(0, 8))
        line.pack_propagate(False)
        self._sign = ctk.CTkLabel(line, text="", width=20, height=20)
        self._state = label(line, theme, "")
        self._state.pack(side="left")
        self._name = label(line, theme, "", colour=c.text_2)
        self._name.pack(side="right")

    def _build_buttons(self, main: ctk.CTkFrame) -> None:
        theme = self.theme
        foot = ctk.CTkFrame(main, fg_color="transparent")
        foot.pack(side="bottom", fill="x", pady=(8, 0))
        self.none = Button(foot, theme, "No more of these here", self._no_more, kind="main")
        self.none.pack(side="left", padx=(0, 4))
        self.some = Button(foot, theme, "There are some without a mark", self._some_unmarked)
        self.some.pack(side="left")

    def _bind_keys(self) -> None:
        keys: Sequence[tuple[str, Callable[[], object]]] = (
            ("a", self._no_more),
            ("x", self._some_unmarked),
            ("n", self.queue.next),
            ("Right", self.queue.next),
            ("p", self.queue.before),
            ("Left", self.queue.before),
            ("o", self._open),
            ("Return", self._open),
        )
        for key, act in keys:
            bind_key(self.picture.bind, f"<{key}>", partial(_do, act))
            if len(key) == 1:
                bind_key(self.picture.bind, f"<{key.upper()}>", partial(_do, act))
                bind_key(self.labels.bind, f"<{key}>", partial(_do, act))
        for place in range(KEYS):
            toggle = partial(_do, partial(self.labels.toggle, place))
            for name in (f"<Key-{place + 1}>", f"<KP_{place + 1}>"):
                bind_key(self.picture.bind, name, toggle)
                bind_key(self.labels.bind, name, toggle)

    # -- the tab

    def shown(self) -> None:
        self._list_labels()
        if self._begun:
            self.queue.refresh()
        self._begin()
        self.picture.focus_set()

    def labels_changed(self) -> None:
        if self.winfo_viewable():
            self._list_labels()
            self._begin()

    def content_changed(self) -> None:
        if self.winfo_viewable():
            self.queue.refresh()

    def _list_labels(self) -> None:
        before = self.labels.ticked
        self.labels.show(self.tools.labels())
        if before and self.labels.ticked != before:  # one was renamed or removed
            self._ticked()

    def _begin(self) -> None:
        """Look for the label that is chosen in the list, at first."""
        if self._begun or not self.labels.labels:
            if not self.labels.labels:
                self._show(self.queue.looked)
            return
        self._begun = True
        chosen = self.tools.chosen() or self.labels.labels[0]
        self.labels.tick([chosen.name])
        self._ticked()

    def _ticked(self) -> None:
        self.queue.choose([each.name for each in self.labels.chosen])
        self._show(self.queue.looked)

    # -- what is seen

    def _show(self, looked: Looked) -> None:
        view, progress = looked.view, looked.progress
        has_frame = looked.frame is not None and bool(looked.labels)
        self.none.set_enabled(has_frame)
        self.some.set_enabled(has_frame)
        self._next.set_enabled(bool(looked.labels) and not looked.is_last)
        self._before.set_enabled(looked.can_go_before)
        if progress is None or not looked.labels:
            self._progress.configure(text="")
            self._bar.set(0)
        else:
            of = "1 frame" if progress.total == 1 else f"{progress.total:,} frames"
            self._progress.configure(text=f"{progress.reviewed:,} of {of} looked at")
            self._bar.set(progress.reviewed / max(1, progress.total))
        self.labels.show_marked({} if view is None else _marked(view, self.labels.chosen))
        self._show_picture(looked)
        self._show_state(looked)

    def _show_picture(self, looked: Looked) -> None:
        view = looked.view
        if looked.labels and view is not None:
            self.picture.show(view, _colours(view, self.labels.chosen))
            frame = view.segments[0]
            place = place_in_file(frame.frame_index, frame.timestamp_s, len(view.frames) > 1)
            name = f"{view.media.path.name} · {place}" if place else view.media.path.name
            font = self.theme.canvas_font(self)
            self._name.configure(text=shorten(name, font, max(80, self.winfo_width() // 3)))
            return
        self._name.configure(text="")
        if not self.labels.labels:
            self.picture.say(NO_LABELS)
        elif not looked.labels:
            self.picture.say(NOTHING_TICKED)
        elif looked.why_no_view:
            self.picture.say(looked.why_no_view)
        elif looked.is_last:
            total = 0 if looked.progress is None else looked.progress.total
            self.picture.say(ALL_LOOKED_AT.format(_named(looked.labels)) if total else EMPTY)

    def _show_state(self, looked: Looked) -> None:
        """Say whether the frame was looked at, by colour, sign and words."""
        c, frame = self.theme.colours, looked.frame
        text, sign, colour = "", "", c.text_2
        if frame is not None and looked.labels:
            said = [frame.answers.get(name) for name in looked.labels]
            if all(each is None for each in said):
                text, sign, colour = NOT_LOOKED_AT, "ring", c.hint
            elif None in said:
                missing = [n for n, each in zip(looked.labels, said, strict=True) if each is None]
                text, sign = f"Not looked at yet for {_named(missing)}", "ring"
            elif any(said):
                text, sign, colour = SOME_UNMARKED, "warning", c.warn
            else:
                some = looked.view is not None and _colours(looked.view, self.labels.chosen)
                text, sign, colour = NO_MORE if some else NONE_HERE, "check", c.success
            if looked.is_last:
                text += " · this was the last frame"
        self._state.configure(text=text, text_color=colour)
        if not sign:
            self._sign.pack_forget()
            return
        self._sign.configure(image=icon(sign, colour, 20))
        if not self._sign.winfo_manager():
            self._sign.pack(side="left", padx=(0, 8), before=self._state)

    # -- what a person does

    def _no_more(self) -> None:
        self._answer(False, "No more {}.")

    def _some_unmarked(self) -> None:
        self._answer(True, "Some {} without a mark.")

    def _answer(self, has_more: bool, said: str) -> None:
        if self.queue.looked.labels:
            self.queue.answer(has_more, said.format(_named(self.queue.looked.labels)))

    def _open(self) -> None:
        if (frame := self.queue.looked.frame) is not None:
            self.tools.open(frame.segment_id)


def _do(act: Callable[[], object], _event: object) -> str:
    act()
    return "break"


def _why_not(exc: Exception) -> str:
    return reason_and_details(str(exc))[0]


def _named(names: Sequence[str]) -> str:
    """Name labels: “red block” and “hand”; many of them are counted."""
    if len(names) > 3:
        return f"{len(names):,} labels"
    quoted = [f"“{name}”" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _by_people(view: FrameView, number: int) -> set[str]:
    """Return the labels of a segment that no model alone has given."""
    tags = view.tags.get(view.segments[number].id, ())
    return {tag.name for tag in tags if tag.source != "auto"}


def _colours(view: FrameView, labels: Sequence[Label]) -> dict[int, str]:
    """Return the colours of the segments that have one of the labels; the first one's."""
    found = dict[int, str]()
    for number in range(len(view.segments)):
        has = _by_people(view, number)
        colour = next((each.colour for each in labels if each.name in has), None)
        if colour is not None:
            found[number] = colour
    return found


def _marked(view: FrameView, labels: Sequence[Label]) -> dict[str, int]:
    """Count the segments that have each label."""
    every = [_by_people(view, number) for number in range(len(view.segments))]
    return {each.name: sum(each.name in has for has in every) for each in labels}
