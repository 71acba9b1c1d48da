"""The side of the detail view: tags, facts, and what can be done."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from src.counting import counted, moment
from src.gui.core.session import Session
from src.gui.detail.track_block import TrackActions, TrackBlock
from src.gui.theme.theme import NORMAL, SIDE_PANEL, SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label, progress_bar, rule
from src.gui.widgets.label_entry import LabelEntry
from src.gui.widgets.tooltip import Tooltip
from src.records import FrameView, StoredSegment, Tag
from src.search.completion import Suggestion

_SOURCES = {"auto": "auto", "human": "you", "propagated": "copied"}
_INSIDE = SIDE_PANEL - 24 - 32
_TAG_NAME, _TAG_BAR = 72, 80
_LINKS = {
    "Part of": "Open the segment that contains this one",
    "Parts": "Point here to outline them in the image. Click to open the largest.",
}

_EDIT_TIP = "Change the outline of this segment (E)"
NO_MASK = "This is the whole frame. Choose a segment to change its outline."


@dataclass(frozen=True)
class SideActions:
    suggest: Callable[[str], Sequence[Suggestion]]
    why_no_tag: Callable[[str], str]
    add_tag: Callable[[str], None]
    remove_tag: Callable[[str], None]
    similar: Callable[[], None]
    open: Callable[[], None]
    folder: Callable[[], None]
    show_segment: Callable[[str], None]
    outline: Callable[[Sequence[int]], None]
    edit_mask: Callable[[], None]
    new_segment: Callable[[], None]
    track: TrackActions


class DetailSide(ctk.CTkFrame):
    """As wide as the design says; what does not fit below can be scrolled to."""

    def __init__(self, master: Any, theme: Theme, session: Session, actions: SideActions) -> None:
        c = theme.colours
        super().__init__(master, fg_color=c.sidebar, corner_radius=0, width=SIDE_PANEL)
        self.pack_propagate(False)
        self.theme, self._session, self._actions = theme, session, actions
        rule(self, theme).pack(side="left", fill="y")
        self._build_buttons()
        self._scrolled = ctk.CTkScrollableFrame(
            self,
            fg_color=c.sidebar,
            corner_radius=0,
            scrollbar_button_color=c.strong_border,
            scrollbar_button_hover_color=c.hint,
            scrollbar_fg_color=c.sidebar,
        )
        self._scrolled.pack(fill="both", expand=True, padx=(24, 12), pady=(16, 0))
        tkinter.Misc.bind(self._scrolled, "<Configure>", lambda _: self._tidy_bar(), "+")
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._tidy_bar(), "+")
        head = ctk.CTkFrame(self._scrolled, fg_color="transparent")
        head.pack(fill="x", pady=(0, 8))
        label(head, theme, "Tags", weight="medium").pack(side="left")
        label(head, theme, "confidence", size=SMALL, colour=c.text_2).pack(
            side="right", padx=(0, 16)
        )
        self._tags = ctk.CTkFrame(self._scrolled, fg_color="transparent")
        self._tags.pack(fill="x")
        self._tags.grid_columnconfigure(0, weight=1)
        new = ctk.CTkFrame(self._scrolled, fg_color="transparent")
        new.pack(fill="x", pady=(8, 20), padx=(0, 16))
        self.entry = LabelEntry(
            new,
            theme,
            "Add a tag",
            actions.suggest,
            self._add,
            on_change=self._typed,
        )
        self.entry.pack(fill="x")
        self._why_not = label(
            new,
            theme,
            "",
            size=SMALL,
            colour=c.error,
            justify="left",
            anchor="w",
            wraplength=_INSIDE - 16,
        )
        plus = IconButton(
            self.entry, theme, "plus", "Add this tag", lambda: self._add(self.entry.text), side=20
        )
        plus.grid(row=0, column=3, padx=(0, 4), pady=2)
        session.only_to_write(self.entry, plus, self.edit, self.new)
        self._above_track = new
        self.track = TrackBlock(self._scrolled, theme, session, actions.track)
        self._facts: dict[str, ctk.CTkLabel] = {}
        self._words: dict[str, ctk.CTkLabel] = {}
        self._tips: dict[str, Tooltip] = {}
        self._links: dict[str, Button] = {}
        self._opens: dict[str, str] = {}  # the segment that a link opens
        self._parts: list[int] = []
        for title, names in (
            ("Segment", ("Match", "Size", "Part of", "Parts", "Predicted IoU", "Stability")),
            ("Media file", ("Name", "Frame", "Length", "Taken", "Added", "Folder", "Note")),
        ):
            rule(self._scrolled, theme).pack(fill="x", padx=(0, theme.px(16)))
            self._build_facts(title, names)
        self._note_in_full = Tooltip(self._facts["Note"], theme, "")

    def show(self, view: FrameView, chosen: int, score: str) -> None:
        """Show what is known of a segment and its file."""
        segment, media = view.segments[chosen], view.media
        self._show_tags(view.tags.get(segment.id, ()))
        _, _, w, h = segment.bbox_xywh
        frame_w, frame_h = segment.frame_wh
        share = 100 * segment.area / (frame_w * frame_h)
        whole = segment.kind == "frame"
        self.edit.set_enabled(not whole)
        self._edit_tip.text = NO_MASK if whole else _EDIT_TIP
        self._show_track(segment)
        self._fact("Match", score)
        self._fact("Size", f"{w} × {h} px · {share:.2g} %" if segment.kind == "object" else "")
        self._show_place_among(view, chosen)
        self._fact("Predicted IoU", _two(segment.predicted_iou))
        self._fact("Stability", _two(segment.stability_score))
        self._fact("Name", media.path.name)
        self._fact("Frame", f"{frame_w} × {frame_h}")
        self._fact("Length", "" if media.duration_s is None else moment(media.duration_s))
        self._fact("Taken", "" if media.captured_at is None else _date(media.captured_at))
        self._fact("Added", _date(datetime.fromtimestamp(media.added_at).isoformat()))
        self._fact("Folder", str(media.path.parent))
        self._show_note(media.note)

    def _show_track(self, segment: StoredSegment) -> None:
        """Show when in its video the segment is seen; nothing of a photo."""
        self.track.show(segment)
        if self.track.is_for_video:
            self.track.pack(fill="x", pady=(0, 16), after=self._above_track)
        else:
            self.track.pack_forget()

    def _show_note(self, note: str | None) -> None:
        """Show the file's note; most have none."""
        self._fact("Note", note or "")
        self._note_in_full.text = note or ""
        for cell in (self._words["Note"], self._facts["Note"]):
            if note is None:
                cell.grid_remove()
            else:
                cell.grid()

    def _show_place_among(self, view: FrameView, chosen: int) -> None:
        """Show in which segment this one lies, and what lies in it."""
        parent, self._parts = view.parent(chosen), view.parts(chosen)
        if parent is not None:
            self._opens["Part of"] = view.segments[parent].id
        if self._parts:
            self._opens["Parts"] = view.segments[self._parts[0]].id
        self._link("Part of", "" if parent is None else _name(view, parent))
        self._link("Parts", counted(len(self._parts), "segment") if self._parts else "")

    def _link(self, name: str, text: str) -> None:
        """Show a fact that can be clicked, or that there is none."""
        font, link, none = self.theme.canvas_font(self, SMALL), self._links[name], self._facts[name]
        if text:
            link.set_text(shorten(text, font, self.theme.px(_INSIDE - 120)))
            link.grid()
            none.configure(text="")
        else:
            link.grid_remove()
            none.configure(text="–")

    def _tidy_bar(self) -> None:
        """Hide the scrollbar where there is nothing to scroll; CustomTkinter always shows it."""
        content, shown = (
            self._scrolled.winfo_reqheight(),
            self._scrolled._parent_canvas.winfo_height(),
        )
        if content > shown > 1:
            self._scrolled._scrollbar.grid()
        else:
            self._scrolled._scrollbar.grid_remove()

    def _build_buttons(self) -> None:
        buttons = ctk.CTkFrame(self, fg_color="transparent")
        buttons.pack(side="bottom", fill="x", padx=(20, 28), pady=(8, 20))
        self.similar = Button(
            buttons,
            self.theme,
            "Find similar",
            self._actions.similar,
            kind="main",
            icon_name="similar",
        )
        self.similar.pack(fill="x")
        rest = ctk.CTkFrame(buttons, fg_color="transparent")
        rest.pack(fill="x")
        rest.grid_columnconfigure((0, 1), weight=1, uniform="buttons")
        edit, new = self._actions.edit_mask, self._actions.new_segment
        self.edit = self._small_button(rest, 0, "Edit mask", edit, "brush")
        self.new = self._small_button(rest, 1, "New segment", new, "plus")
        self.open = self._small_button(rest, 2, "Open", self._actions.open, "open")
        self.folder = self._small_button(rest, 3, "Show in folder", self._actions.folder, "folder")
        self._edit_tip = Tooltip(self.edit, self.theme, _EDIT_TIP)
        Tooltip(self.new, self.theme, "Click or draw another segment in this frame (N)")

    def _small_button(
        self, master: Any, place: int, text: str, action: Callable[[], object], icon: str
    ) -> Button:
        """Make one of the buttons of half the width, two in a row."""
        button = Button(master, self.theme, text, action, icon_name=icon, height=32, width=96)
        button.grid(row=place // 2, column=place % 2, sticky="ew")
        return button

    def _build_facts(self, title: str, names: Sequence[str]) -> None:
        c = self.theme.colours
        label(self._scrolled, self.theme, title, weight="medium").pack(anchor="w", pady=(20, 8))
        table = ctk.CTkFrame(self._scrolled, fg_color="transparent")
        table.pack(fill="x", pady=(0, 20))
        table.grid_columnconfigure(1, weight=1)
        for row, name in enumerate(names):
            word = label(table, self.theme, name, size=SMALL, colour=c.text_2, anchor="w")
            word.grid(row=row, column=0, sticky="w", pady=4)
            self._words[name] = word
            value = label(table, self.theme, "", size=SMALL, anchor="w")
            value.grid(row=row, column=1, sticky="w", padx=(16, 0))
            table.grid_columnconfigure(0, minsize=self.theme.px(88))
            self._facts[name] = value
            self._tips[name] = Tooltip(value, self.theme, "")  # of what is cut
            if name in _LINKS:
                self._build_link(table, row, name)

    def _build_link(self, table: ctk.CTkFrame, row: int, name: str) -> None:
        link = Button(
            table,
            self.theme,
            "–",
            lambda: self._actions.show_segment(self._opens[name]),
            kind="link",
            height=16,
            size=SMALL,
        )
        # its words are aligned with the other facts, whatever its own padding
        link.grid(row=row, column=1, sticky="w", padx=(3, 0))
        table.grid_rowconfigure(row, minsize=self.theme.px(28))  # as high without a link
        Tooltip(link, self.theme, _LINKS[name])
        self._links[name] = link
        if name == "Parts":
            for part in (link, *link.winfo_children()[0].winfo_children()):
                bind = partial(tkinter.Misc.bind, part)
                for event in ("<Enter>", "<FocusIn>"):
                    bind(event, lambda _: self._actions.outline(self._parts), "+")
                for event in ("<Leave>", "<FocusOut>"):
                    bind(event, lambda _: self._actions.outline(()), "+")

    def _fact(self, name: str, text: str) -> None:
        font = self.theme.canvas_font(self, SMALL)
        short = shorten(text, font, self.theme.px(_INSIDE - 120))
        self._facts[name].configure(text=short or "–")
        self._tips[name].text = "" if short == text else text

    def _show_tags(self, tags: Sequence[Tag]) -> None:
        for cell in self._tags.grid_slaves():
            cell.destroy()
        for row, tag in enumerate(tags):
            self._show_tag(row, tag)
        if not tags:
            c = self.theme.colours
            none = label(
                self._tags, self.theme, "No tags yet. Add one below.", size=SMALL, colour=c.text_2
            )
            none.grid(row=0, column=0, sticky="w", pady=6)

    def _show_tag(self, row: int, tag: Tag) -> None:
        """Show name, bar, confidence, source and a cross; a long name takes the bar's place."""
        table, theme, c = self._tags, self.theme, self.theme.colours
        font = theme.canvas_font(self, NORMAL)
        is_long = font.measure(tag.name) > theme.px(_TAG_NAME)
        name = shorten(tag.name, font, theme.px(_TAG_NAME + _TAG_BAR))
        word = label(table, theme, name)
        word.grid(row=row, column=0, columnspan=2 if is_long else 1, sticky="w", pady=6)
        if not is_long:
            bar = progress_bar(
                table,
                theme,
                width=_TAG_BAR - 8,
                progress_color=c.text_2 if tag.source == "human" else c.accent,
            )
            bar.set(tag.confidence)
            bar.grid(row=row, column=1, padx=(8, 0))
        for column, text in ((2, f"{tag.confidence:.2f}"), (3, _SOURCES[tag.source])):
            fact = label(table, theme, text, size=SMALL, colour=c.text_2)
            fact.grid(row=row, column=column, sticky="e", padx=(8, 0))
        cross = IconButton(
            table,
            theme,
            "close",
            f"Remove “{tag.name}”",
            partial(self._actions.remove_tag, tag.name),
            side=20,
        )
        cross.grid(row=row, column=4, padx=(2, 8))
        self._session.only_to_write(cross)

    def _typed(self, text: str) -> None:
        self.say_why_not(self._actions.why_no_tag(text) if text.strip() else "")

    def say_why_not(self, sentence: str) -> None:
        """Show under the entry why its text is no tag; nothing where it is one."""
        self._why_not.configure(text=sentence)
        self.entry.set_error(bool(sentence))
        if sentence:
            self._why_not.pack(fill="x", pady=(4, 0))
        else:
            self._why_not.pack_forget()

    def added(self, name: str) -> None:
        """Empty the entry for another tag, once this one has been added."""
        if self.entry.text == name:
            self.entry.set("")
            self.entry.list.hide()

    def _add(self, name: str) -> None:
        self.entry.set(name)  # it may have been chosen, and only begun to be typed
        self.entry.list.hide()
        if name.strip() and not self._actions.why_no_tag(name):
            self._actions.add_tag(name)


def _name(view: FrameView, number: int) -> str:
    """Return a segment's name: its tag of highest confidence, and its size."""
    segment = view.segments[number]
    if segment.kind == "frame":
        return "whole image"
    _, _, w, h = segment.bbox_xywh
    tags = view.tags.get(segment.id, ())
    return f"{tags[0].name}, {w} × {h} px" if tags else f"{w} × {h} px"


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _date(iso: str) -> str:
    try:
        when = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return iso
    today = datetime.now().astimezone().date()
    day = "today" if when.date() == today else f"{when:%d %b %Y}".lstrip("0")
    return f"{day}, {when:%H:%M}"
