"""The keys of the timeline, while it has the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from src.gui.core.known_labels import KEYS
from src.gui.timeline.canvas_pointer import WHEEL
from src.gui.timeline.timeline_canvas import TimelineCanvas
from src.gui.widgets.key_bindings import bind_key

if TYPE_CHECKING:
    from src.gui.timeline.timeline_panel import TimelinePanel

_SECOND = 1.0


class TimelineKeys:
    """Binds each key to what it does."""

    def __init__(self, canvas: TimelineCanvas, panel: TimelinePanel) -> None:
        model, go = panel.model, panel.navigation

        def by(seconds: float) -> None:
            go.go_to(model.after(seconds))

        keys: dict[str, Callable[[], object]] = {
            "Left": partial(go.step, -1),
            "Right": partial(go.step, 1),
            "Shift-Left": partial(by, -_SECOND),
            "Shift-Right": partial(by, _SECOND),
            "Home": partial(go.go_to, 0.0),
            "End": lambda: go.go_to(model.duration_s),
            "Up": partial(panel.choosing.go_lane, -1),
            "Down": partial(panel.choosing.go_lane, 1),
            "space": go.toggle_play,
            "Return": panel.open_frame,
            "KP_Enter": panel.open_frame,
            "plus": partial(canvas.zoom, WHEEL),
            "equal": partial(canvas.zoom, WHEEL),
            "KP_Add": partial(canvas.zoom, WHEEL),
            "minus": partial(canvas.zoom, 1 / WHEEL),
            "KP_Subtract": partial(canvas.zoom, 1 / WHEEL),
            "0": canvas.fit,
            "comma": partial(go.step_video, -1),
            "period": partial(go.step_video, 1),
            "i": panel.range.begin_here,
            "o": panel.range.end_here,
            "s": panel.acts.split,
            "j": panel.acts.join,
            "Delete": panel.acts.take_out,
        }
        for key in range(1, KEYS + 1):
            keys[f"Key-{key}"] = keys[f"KP_{key}"] = partial(panel.acts.give_key, key)
        for name, do in keys.items():
            bind_key(
                canvas.bind, f"<{name if len(name) > 1 else f'Key-{name}'}>", partial(_pressed, do)
            )


def _pressed(do: Callable[[], object], _event: object) -> str:
    do()
    return "break"
