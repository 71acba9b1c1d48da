"""How many workers of a cluster do the work, and on demand what each of them does."""

from __future__ import annotations

import tkinter
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from src.counting import counted
from src.events import ClusterWorkers, ReadHere
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import SMALL, Theme, shorten
from src.gui.widgets.controls import Button
from src.gui.widgets.dropdown import Dropdown

# Up to here each worker has a row; of more those of a machine share one, and at last the rest.
MOST_ROWS = 12
MOST_VIDEOS = 3  # that are named
HEAD = ("Machine", "Runs on", "Done")
_LONGEST_PX, _NOTE_PX = 240, 320  # of a machine's name, and where a note wraps
_DEVICES = {"cuda": "GPU", "mps": "GPU", "cpu": "CPU"}

Row = tuple[str, str, str]


def worker_rows(workers: ClusterWorkers) -> list[Row]:
    """Return what to say of workers: where, on what, and how many images and frames were done."""
    devices = [_DEVICES.get(device, device) for device in workers.devices]
    done = [*workers.done, *[0] * (len(devices) - len(workers.done))]
    each = sorted(zip(workers.machines, devices, done, strict=True))
    if len(each) <= MOST_ROWS:
        return [(machine, device, f"{count:,}") for machine, device, count in each]
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for machine, device, count in each:
        alike[machine, device].append(count)
    groups = list(alike.items())
    shown = groups if len(groups) <= MOST_ROWS else groups[: MOST_ROWS - 1]
    rows = [
        (machine, f"{len(counts):,} × {device}", f"{sum(counts):,}")
        for (machine, device), counts in shown
    ]
    rest = [count for _, counts in groups[len(shown) :] for count in counts]
    return rows + [("Others", counted(len(rest), "worker"), f"{sum(rest):,}")] * bool(rest)


def note_on(workers: ClusterWorkers, read_here: Sequence[ReadHere] = ()) -> str:
    """Return what keeps a cluster from doing more; "" where there is nothing to say."""
    notes = []
    if not workers.devices:
        limit = f" It stops after {workers.wait_s:.0f} s without one." if workers.wait_s else ""
        notes.append(f"No worker is left. The job waits for one to start.{limit}")
    if workers.problem:
        others = "others don't work" if workers.devices else "the last one that tried"
        notes.append(as_sentence(f"{others}: {workers.problem}"))
    if workers.sent:
        were, which = ("file was", "it") if workers.sent == 1 else ("files were", "them")
        notes.append(
            f"{workers.sent:,} {were} sent, since no worker found {which} under the same path. "
            "Settings can name the folders on the cluster."
        )
    return "\n".join([*notes, *note_on_videos(read_here)])


def note_on_videos(read_here: Sequence[ReadHere]) -> list[str]:
    """Return lines on videos that the workers do not read: the last of them, and why."""
    if not read_here:
        return []
    lines = [f"{each.path.name}: {each.reason}" for each in read_here[-MOST_VIDEOS:]]
    more = len(read_here) - len(lines)
    head = "Read on this machine" + (f", and {more:,} more before:" if more else ":")
    return [head, *lines]


class WorkersButton(Button):
    """Says how many there are; opens a list that follows what they do."""

    def __init__(self, master: Any, theme: Theme) -> None:
        super().__init__(
            master, theme, "", self._open, kind="quiet", icon_name="info", height=24, width=112
        )
        self._workers = ClusterWorkers((), ())
        self._read_here: Sequence[ReadHere] = ()
        self._list: Dropdown | None = None
        self._columns: list[tkinter.Label] = []
        self._note: tkinter.Label | None = None
        self._shape = (0, "")  # rows of the list, and the note below them

    def show(self, workers: ClusterWorkers, read_here: Sequence[ReadHere] = ()) -> None:
        """Show what is known of them now, and the videos that they do not read."""
        self._workers, self._read_here = workers, read_here
        self.set_text(counted(len(workers.devices), "worker"))
        if self._list is None:
            return
        if (len(worker_rows(workers)), self._note_text) == self._shape:
            self._write()
        else:  # it needs another height
            self._list.close()
            self._open()

    def close(self) -> None:
        """Close the list, where it is open."""
        if self._list is not None:
            self._list.close()

    @property
    def lines(self) -> list[str]:
        """What the columns of the list say now; for tests."""
        return [str(column.cget("text")) for column in self._columns]

    @property
    def _note_text(self) -> str:
        return note_on(self._workers, self._read_here)

    def _open(self) -> None:
        theme, c = self.theme, self.theme.colours
        px = theme.px
        menu = self._list = Dropdown(self, theme, self._closed)
        font = theme.canvas_font(self, SMALL)
        for place, head in enumerate(HEAD if self._workers.devices else ()):
            is_number = place == len(HEAD) - 1
            side = "e" if is_number else "w"
            label = tkinter.Label(menu, text=head, bg=c.raised, fg=c.text_2, font=font)
            label.grid(row=0, column=place, sticky=side, padx=px(12), pady=(px(8), 0))
            column = tkinter.Label(menu, bg=c.raised, fg=c.text, font=theme.canvas_font(self))
            column.configure(justify="right" if is_number else "left")
            column.grid(row=1, column=place, sticky=side, padx=px(12), pady=(px(4), px(8)))
            self._columns.append(column)
        self._note = tkinter.Label(
            menu,
            bg=c.raised,
            fg=c.text_2,
            font=font,
            justify="left",
            anchor="w",
            wraplength=px(_NOTE_PX),
        )
        self._write()
        left, top = self.winfo_rootx(), self.winfo_rooty()
        below, gap = top + self.winfo_height(), px(4)
        menu.open(left + self.winfo_width(), below + gap, top - gap, menu, from_right=True)

    def _write(self) -> None:
        font = self.theme.canvas_font(self)
        rows = worker_rows(self._workers)
        note = self._note_text
        self._shape = len(rows), note
        if self._note is not None and note:
            self._note.configure(text=note)
            self._note.grid(
                row=2,
                column=0,
                columnspan=len(HEAD),
                sticky="ew",
                padx=self.theme.px(12),
                pady=(0 if rows else self.theme.px(8), self.theme.px(8)),
            )
        for place, column in enumerate(self._columns):
            texts = [row[place] for row in rows]
            if place == 0:
                texts = [shorten(each, font, self.theme.px(_LONGEST_PX)) for each in texts]
            column.configure(text="\n".join(texts))

    def _closed(self) -> None:
        self._list = self._note = None
        self._columns.clear()
