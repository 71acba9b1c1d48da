"""Near-duplicates: found in the background, shown side by side; a person decides."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.events import DuplicatesFound, Event
from src.gui.core.job_state import JobState
from src.gui.duplicates.group_list import GroupList
from src.gui.duplicates.group_row import GroupRow, RowActions
from src.gui.duplicates.wording import count_of, question_of_trash
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.theme import LEFT, RIGHT, TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label, panel_header
from src.job_kinds import DUPLICATES, TRASH
from src.records import DuplicateFile, DuplicateGroup
from src.worker import JobEnded

if TYPE_CHECKING:
    from src.duplicates import Duplicates


HOW = "Click the picture to keep. Nothing is hidden or moved until you press a button."
READ_ONLY = "The library is open to read only here: nothing can be hidden or moved."


@dataclass(frozen=True)
class DuplicatesActions:
    """What the panel asks of the window.

    Attributes:
        ask: a title, sentences, the word on the button, and what is done then.
        open_media: shows a media file, by its id.
        show_failures: lists files that could not be moved to the trash.
    """

    ask: Callable[[str, str, str, Callable[[], None]], None]
    open_media: Callable[[int], None]
    show_failures: Callable[[list[tuple[str, str]], Callable[[], None]], None]


class DuplicatesPanel(Panel):
    """Header, list of groups, and what is said where there are none."""

    def __init__(self, context: PanelContext, actions: DuplicatesActions) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._actions = actions
        self._groups: dict[int, DuplicateGroup] = {}
        self._kept: dict[int, int] = {}  # by group: the file that a person chose to keep
        self._is_shown = False
        self._to_trash: Callable[[], Iterator[Event]] | None = None  # what was asked for last
        header = panel_header(self, theme, "Duplicates")
        self._count = label(header, theme, "", colour=theme.colours.text_2)
        self._count.pack(side="left", padx=12)
        self.again = Button(header, theme, "Find again", self.look, icon_name="retry", height=32)
        self.again.pack(side="right")
        session.only_to_write(self.again)
        self._hint = label(
            self,
            theme,
            READ_ONLY if session.read_only else HOW,
            colour=theme.colours.text_2,
            anchor="w",
        )
        self._empty = ctk.CTkFrame(self, fg_color="transparent")
        middle = ctk.CTkFrame(self._empty, fg_color="transparent")
        middle.place(relx=0.5, rely=0.42, anchor="center")
        self._sentence = label(middle, theme, "", size=TITLE, weight="medium")
        self._sentence.pack(pady=(0, 8))
        self._meaning = label(middle, theme, "", colour=theme.colours.text_2, wraplength=480)
        self._meaning.pack()
        row_actions = RowActions(
            self._hide_others,
            lambda group: self._change(group, lambda: self._duplicates.keep_all(group.id)),
            lambda group: self._change(group, lambda: self._duplicates.keep_apart(group.id)),
            self._ask_to_trash,
            lambda group: self._change(group, lambda: self._duplicates.undo(group.id)),
            self._choose,
            lambda file: actions.open_media(file.media.id),
        )

        def make_row(master: tkinter.Misc) -> GroupRow:
            row = GroupRow(master, theme, context.painter, context.thumbnails, row_actions)
            session.only_to_write(*row.buttons)
            return row

        self.list = GroupList(self, theme, make_row, self._fill)
        self._show_words()
        session.signals.job_event.append(self._job_event)
        session.signals.job_ended.append(self._job_ended)
        session.signals.content_changed.append(self._content_changed)

    @property
    def _duplicates(self) -> Duplicates:
        return self._session.library.duplicates

    def shown(self) -> None:
        """List the groups, and look for duplicates where media have come since."""
        tkinter.Misc.focus_set(self)
        if not self._session.is_open:
            return
        self._is_shown = True
        self.reload(keep_order=False)
        if not self._duplicates.is_current():
            self.look()

    def refresh_thumbnails(self) -> None:
        self.list.redraw()

    # -- looking

    @property
    def _is_looking(self) -> bool:
        return bool(self._session.jobs_of(DUPLICATES.key))

    def look(self) -> None:
        """Look for duplicates, behind the window."""
        session = self._session
        if session.is_open and not self._is_looking and not session.read_only:
            self._session.start(DUPLICATES.key, self._duplicates.find, DUPLICATES.title)
            self._show_words()

    def _job_event(self, job: JobState, event: Event) -> None:
        if isinstance(event, DuplicatesFound):
            self.reload(keep_order=False)

    def _job_ended(self, job: JobState, ended: JobEnded) -> None:
        if job.kind == DUPLICATES.key:
            self._show_words()
        elif job.kind == TRASH.key:
            self.reload()
            if job.failed:
                failures = [(str(event.path), event.reason) for event in job.failed]
                self._actions.show_failures(failures, self._move_to_trash)

    def _content_changed(self) -> None:
        if self._is_shown:
            self.reload()

    # -- the list

    def reload(self, keep_order: bool = True) -> None:
        """List the groups; those that are there already keep their places, if that is asked."""
        if not self._session.is_open:
            return
        verdicts = self._duplicates.verdicts()
        ids = list(verdicts)
        if keep_order:
            kept = [each for each in self.list.ids if each in verdicts]
            ids = list(dict.fromkeys(kept + ids))
        self._groups.clear()
        undecided = sum(verdict == "open" for verdict in verdicts.values())
        self._count.configure(text=count_of(len(ids), undecided))
        self.list.show(ids, keep_place=keep_order)
        self._show_words()

    def _group(self, group_id: int) -> DuplicateGroup:
        if group_id not in self._groups:
            self._groups[group_id] = self._duplicates.group(group_id)
        return self._groups[group_id]

    def _fill(self, row: GroupRow, group_id: int) -> None:
        group = self._group(group_id)
        row.show(group, self._kept_of(group).media.id)

    def _kept_of(self, group: DuplicateGroup) -> DuplicateFile:
        chosen = self._kept.get(group.id)
        return next((file for file in group.files if file.media.id == chosen), group.files[0])

    def _show_words(self) -> None:
        """Show the list, or in its place what there is to say."""
        looking = self._session.is_open and self._is_looking
        self.again.set_enabled(not looking)
        if self.list.ids:
            self._empty.pack_forget()
            if not self.list.winfo_manager():
                self._hint.pack(fill="x", padx=(LEFT, RIGHT), pady=(0, 8))
                self.list.pack(fill="both", expand=True, pady=(0, 8))
            return
        self.list.pack_forget()
        self._hint.pack_forget()
        self._empty.pack(fill="both", expand=True)
        self._sentence.configure(
            text="Looking for duplicates…" if looking else "No duplicates found"
        )
        self._meaning.configure(
            text="Copies that were resized, recompressed, cropped a little, made brighter or "
            "mirrored will appear here."
            if looking
            else "No photo or video in your library is almost equal to another one."
        )

    # -- what a person decides

    def _choose(self, group: DuplicateGroup, file: DuplicateFile) -> None:
        if group.verdict == "open":
            self._kept[group.id] = file.media.id
            self.list.fill_again(group.id)

    def _change(self, group: DuplicateGroup, work: Callable[[], None]) -> None:
        self._session.change(work, fails="Couldn't keep the decision")

    def _hide_others(self, group: DuplicateGroup) -> None:
        kept = self._kept_of(group).media.id
        self._change(group, lambda: self._duplicates.hide_others(group.id, kept))

    def _ask_to_trash(self, group: DuplicateGroup) -> None:
        kept = self._kept_of(group)
        others = [file for file in group.files if file is not kept]
        title, sentence = question_of_trash(kept, others)

        duplicates = self._duplicates
        self._to_trash = lambda: duplicates.trash_others(group.id, kept.media.id)
        self._actions.ask(title, sentence, "Move to trash", self._move_to_trash)

    def _move_to_trash(self) -> None:
        if self._to_trash is not None:
            self._session.start(TRASH.key, self._to_trash, TRASH.title)
