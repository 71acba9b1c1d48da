"""What the window shows, written to a file for tests.

Only on when MEDIA_LIBRARY_PROBE names a file: places on the screen can't be asked of a window
by another process (a window manager's frame falsifies them), and pictures can't be read.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.gui.label.disagreement_list import words_of
from src.gui.label.label_list import NEW
from src.gui.search.query_chips import PARTS, Part
from src.gui.search.weaker_band import WeakerBand
from src.library_files import write_atomically

if TYPE_CHECKING:
    import tkinter

    from src.gui.cards.card_grid import CardGrid
    from src.gui.label.disagreements_tab import DisagreementsTab
    from src.gui.label.label_panel import LabelPanel
    from src.gui.label.review_tab import ReviewTab
    from src.gui.main_window import MainWindow
    from src.gui.map.map_panel import MapPanel
    from src.gui.masks.mask_view import MaskView
    from src.gui.models.models_panel import ModelsPanel
    from src.gui.search.query_chips import QueryChips
    from src.gui.timeline.timeline_panel import TimelinePanel

VARIABLE = "MEDIA_LIBRARY_PROBE"
_EVERY_MS = 40
ASKED, ASKED_FOR_S = ".asked", 2.0
_MAPPED = "media_library_mapped"
# Each mapped frame below a widget, as all of CustomTkinter's widgets are, with its box. Hundreds
# of widgets are asked 25 times a second: one call of Tk's takes a tenth of what asking each does.
_FIND_MAPPED = f"""
proc {_MAPPED} {{widget hidden}} {{
    set found {{}}
    foreach child [winfo children $widget] {{
        if {{[winfo ismapped $child] && $child ni $hidden}} {{
            if {{[winfo class $child] eq "Frame"}} {{
                lappend found $child [winfo rootx $child] [winfo rooty $child] \\
                    [winfo width $child] [winfo height $child]
            }}
            lappend found {{*}}[{_MAPPED} $child $hidden]
        }}
    }}
    return $found
}}
"""
Box = list[int]


class Probe:
    """Writes the window's state whenever it has changed, and touches the file at each look.

    It looks as long as somebody asks: by touching the file of the same name with ASKED behind it.
    """

    def __init__(self, window: MainWindow, path: Path) -> None:
        self._window, self._path = window, path
        self._last = ""
        window.tk.eval(_FIND_MAPPED)
        self._write()

    def _write(self) -> None:
        if self._is_asked():
            text = json.dumps(self._state())
            if text != self._last:
                write_atomically(self._path, text.encode())
                self._last = text
            os.utime(self._path)  # so that who reads it knows when it was looked at last
        self._window.after(_EVERY_MS, self._write)

    def _is_asked(self) -> bool:
        try:
            asked_at = os.stat(f"{self._path}{ASKED}").st_mtime
        except FileNotFoundError:
            return False
        return time.time() - asked_at < ASKED_FOR_S

    def _state(self) -> dict[str, Any]:
        w = self._window
        p = w.panels
        here = "" if p.undrawn is not None else p.here
        grid = p.grid_shown() if here else None
        texts: list[str] = []
        buttons: dict[str, Box] = {}
        _collect(w, texts, buttons, (w.overlay.undrawn, p.undrawn))
        return {
            "pid": os.getpid(),
            "panel": here,
            "open": w.session.is_open,
            "closing": w.session.is_closing,
            "models_ready": w.session.models_ready,
            "busy": w.session.is_busy,
            "jobs": [
                {
                    "fraction": job.fraction,
                    "segments": job.segments,
                    "failed": len(job.failed),
                    "file_number": job.file_number,
                    "files": job.files,
                    "cancelling": job.cancelling,
                }
                for job in w.session.jobs
            ],
            "media": len(p.library.media),
            "strip": w.import_controller.strip.text
            if w.import_controller.strip.winfo_ismapped()
            else "",
            "dialog": w.overlay.is_open,
            "cards": [] if grid is None else _cards(grid),
            "count": 0 if grid is None else grid.count,
            "searched": p.search.query,
            "chips": _chips(p.search.entry.chips) if here == p.search.way else [],
            "weaker": _weaker(grid) if grid is not None else {},
            "selected": [] if grid is None else sorted(grid.selection),
            "segment": p.detail.segment_id if here == "detail" else "",
            "outlined": list(p.detail.picture.outlined),
            "picture": _box(p.detail.picture),
            "mask": _mask(p.detail.masks.mask_view) if p.detail.masks.is_open else {},
            "alone": _box(p.detail.alone) if p.detail.alone and p.detail.alone.is_open else [],
            "query": _box(p.search.image.query) if here == "image" else [],
            "part": p.search.image.query.part if here == "image" else None,
            "map": _map(p.map) if here == "map" else {},
            "timeline": _timeline(p.timeline) if here == "timeline" else {},
            "label": _label(p.label) if here == "label" else {},
            "models": _models(p.models) if here == "models" else {},
            "label_tab": p.label.tab.name if here == "label" else "",
            "review": _review(p.label.review) if here == "label" else {},
            "disagreements": _disagreements(p.label.disagreements) if here == "label" else [],
            "texts": texts,
            "buttons": buttons,
            "window": _box(w),
            # what must not grow as dialogs come and go
            "widgets": int(w.tk.eval("llength [info commands .*]")),  # Tk has one for each
            "bound_to_all": sum(len(w.bind_all(sequence)) for sequence in w.bind_all()),
            "errors": w.dialogs.errors,
        }


def _collect(
    window: tkinter.Misc,
    texts: list[str],
    buttons: dict[str, Box],
    undrawn: Sequence[tkinter.Misc | None] = (),
) -> None:
    """Words on the screen, and where each button and row lies; what is covered counts too.

    Args:
        undrawn: what is not to be seen yet.
    """
    from src.gui.app.saved_list import SavedList
    from src.gui.filters.filter_row import FilterRow
    from src.gui.panel.selection_bar import SelectionBar
    from src.gui.theme.toolkit import ctk

    hidden = [str(widget) for widget in undrawn if widget is not None]
    found = window.tk.splitlist(window.tk.call(_MAPPED, ".", hidden))
    for name, *numbers in zip(*[iter(found)] * 5, strict=True):
        child, box = window.nametowidget(name), list(map(int, numbers))
        if isinstance(child, ctk.CTkLabel | ctk.CTkButton | ctk.CTkCheckBox):
            text = str(child.cget("text"))
            if text:
                texts.append(text)
                buttons[text] = box
        elif isinstance(child, ctk.CTkEntry):
            texts.append(child.get())
            buttons[f"entry:{child.cget('placeholder_text')}"] = box
        elif isinstance(child, SelectionBar):
            texts.append(child.said)
        elif isinstance(child, FilterRow):
            texts += child.said
            buttons |= {text: list(place) for text, place in child.boxes.items()}
        elif isinstance(child, SavedList):
            texts += child.texts
            buttons |= {text: list(child.box(text)) for text in child.names_in_sight}


def _cards(grid: CardGrid) -> list[dict[str, Any]]:
    x, y = grid.canvas.winfo_rootx(), grid.canvas.winfo_rooty()
    bottom = grid.canvas.winfo_height()
    return [
        {
            "place": place,
            "name": view.name,
            "facts": view.facts,
            "mark": view.mark,
            "alike": view.alike,
            "answer": view.answer,
            "word": view.word,
            "state": view.state,
            "score": view.score,
            "strength": view.strength,
            "key": str(view.key),
            "box": [x + box[0], y + box[1], box[2] - box[0], box[3] - box[1]],
        }
        for place, view, box in grid.visible()
        if box[1] < bottom
    ]


def _chips(chips: QueryChips) -> list[dict[str, Any]]:
    """Each part of the query: what it says, and where it and its sign and its cross are."""
    x, y = chips.winfo_rootx(), chips.winfo_rooty()

    def box(place: int, part: Part) -> Box:
        left, top, width, height = chips.box(place, part)
        return [x + left, y + top, width, height]

    return [
        {"sign": chip.sign, "text": chip.text, "weight": chip.weight}
        | {f"{part}_box": box(place, part) for part in PARTS}
        for place, chip in enumerate(chips.chips)
    ]


def _weaker(grid: CardGrid) -> dict[str, Any]:
    """What is folded away below the line, and where a click unfolds it."""
    band = grid.band
    if not isinstance(band, WeakerBand) or not band.winfo_ismapped():
        return {}
    return {"words": band.words, "is_open": band.is_open, "fold": band.fold_box()}


def _map(panel: MapPanel) -> dict[str, Any]:
    """Where the map is, how large it is seen, where its points are, and which are selected."""
    canvas, ids = panel.canvas, panel.ids
    left, top, width, height = _box(canvas)
    pixels = canvas.view.to_pixels(canvas.points).round().astype(int).tolist()
    return {
        "box": [left, top, width, height],
        "scale": canvas.view.scale,
        "points": {key: [left + x, top + y] for key, (x, y) in zip(ids, pixels, strict=True)},
        "selected": panel.selected_ids,
    }


def _timeline(panel: TimelinePanel) -> dict[str, Any]:
    """What is seen of a video over time, and where: each bar, by its lane and its beginning."""
    model, canvas, scale = panel.model, panel.canvas, panel.canvas.scale_of_time
    left, top, _, _ = _box(canvas)

    def bars(number: int) -> dict[str, Box]:
        index, found = model.lanes[number], {}
        for place, bar in enumerate(index.bars):
            begin, end = round(scale.x_of(bar.begin_s)), round(scale.x_of(bar.end_s))
            over, under = canvas.rows.bar(number, index.level(place), index.levels)
            found[f"{bar.begin_s:g}"] = [
                left + canvas.left + begin,
                top + over,
                end - begin,
                under - over,
            ]
        return found

    preview, choice = panel.preview, model.choice
    return {
        "box": [left + canvas.left, top, scale.width_px, canvas.rows.height],
        "seen": [scale.begin_s, scale.end_s],
        "duration": model.duration_s,
        "playhead": model.playhead_s,
        "range": list(model.range or ()),
        "frames": [frame.timestamp_s for frame in model.frames],
        "lanes": {model.lanes[n].lane.name: bars(n) for n in canvas.rows.visible_lanes()},
        "chosen": [] if choice is None else [choice.track_id, choice.segment_id],
        "count": len(model.chosen),
        "has_curve": model.curve is not None,
        "preview": preview.text if preview.winfo_ismapped() else "",
        "said": panel.hints.said,
        "saving": panel.acts.acts.is_saving,
    }


def _mask(view: MaskView | None) -> dict[str, Any]:
    """What is known of the mask under edit, and where pixels of its frame lie on the screen."""
    if view is None or view.edit.look is None or view.canvas.drawn is None:
        return {}
    port, look = view.canvas.drawn, view.edit.look
    x, y = view.canvas.winfo_rootx(), view.canvas.winfo_rooty()
    return {
        "tool": view.tools.tool,
        "segment": view.segment_id,
        "prepared": view.edit.is_prepared,
        "busy": view.edit.is_busy,
        "frame_wh": list(port.frame_wh),
        "scale": port.scale,
        # of the frame's upper left corner, were it to be seen
        "corner": [x - port.left * port.scale, y - port.top * port.scale],
        "box": [x + port.box[0], y + port.box[1], *port.box[2:]],
        "polygon": [[list(point) for point in ring] for ring in view.polygon.rings],
        "allowed": {key: button.enabled for key, button in view.bar.buttons.items()},
        "asks": view.is_asking,
    } | dataclasses.asdict(look.state)


def _label(panel: LabelPanel) -> dict[str, Any]:
    """The labels with their rows, and what the ranking of the chosen one says."""
    rows, rank = panel.list, panel.rank
    x, y = rows.winfo_rootx(), rows.winfo_rooty()

    def box(name: str) -> Box:
        left, top, width, height = rows.box(name)
        return [x + left, y + top, width, height]

    return {
        "tab": panel.tab.name,
        "chosen": rows.chosen,
        "rows": {
            each.name: {"count": each.segments + each.accepted_together, "box": box(each.name)}
            for each in rows.in_sight
        },
        "new": box(NEW),
        "focused": rank.grid_view.focused,
        "ranking": rank.requests.is_busy,
        "saving": panel.acts.is_saving,
        "answers": {each.segment_id: each.answer for each in rank.list.candidates if each.answer},
        "sure": rank.strip.sure.value,
        "left": rank.strip.left.value,
        "said": panel.hints.said,
    }


def _models(panel: ModelsPanel) -> dict[str, dict[str, Any]]:
    """Each line of the table by its name, and where its button is."""
    return {
        line.view.name: dataclasses.asdict(line.view) | {"box": _box(line.button)}
        for line in panel.lines.values()
        if line.view is not None
    }


def _review(tab: ReviewTab) -> dict[str, Any]:
    """Which frame is looked at, for which labels, and what was said of it."""
    looked = tab.queue.looked
    frame, progress = looked.frame, looked.progress
    left, top, _, _ = _box(tab.labels)
    return {
        "labels": list(looked.labels),
        "rows": {
            label.name: [left + x, top + y, width, height]
            for place, label in enumerate(tab.labels.labels)
            for x, y, width, height in [tab.labels.box(place)]
        },
        "frame": "" if frame is None or looked.view is None else frame.segment_id,
        "answers": {} if frame is None else frame.answers,
        "outlined": len(tab.picture.outlined),
        "progress": [] if progress is None else [progress.reviewed, progress.total],
        "is_last": looked.is_last,
    }


def _disagreements(tab: DisagreementsTab) -> list[dict[str, Any]]:
    """Each row of the list: what is said, whether it was answered, and which is chosen."""
    return [
        {
            "segment": each.segment_id,
            "says": words_of(each),
            "answered": place in tab.list.answered,
            "chosen": place == tab.list.at,
        }
        for place, each in enumerate(tab.list.rows)
    ]


def _box(widget: tkinter.Misc) -> Box:
    return [widget.winfo_rootx(), widget.winfo_rooty(), widget.winfo_width(), widget.winfo_height()]
