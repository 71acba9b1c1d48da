"""The tool in hand: chosen by buttons and keys, and what is done at once. It says why not."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from src.gui.masks import tools
from src.gui.masks.mask_session import MaskSession
from src.gui.masks.pointer import MaskPointer
from src.gui.masks.polygon_tool import PolygonTool
from src.gui.masks.tool_bar import ToolBar
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.viewport import Size
from src.label_records import MaskState

READING = "Reading the photo…"
_NO_SAM = "There is no segmentation model to answer clicks. Use the brush or the polygon."


class MaskTools:
    """Which tool is in hand, and how large the brush is, is kept from one edit to the next."""

    def __init__(
        self,
        bar: ToolBar,
        pointer: MaskPointer,
        polygon: PolygonTool,
        edit: MaskSession,
        do: Callable[..., None],
        say: Callable[[str], None],
    ) -> None:
        """Begin with the brush.

        Args:
            do: changes the mask; see MaskSession.do.
            say: shows a sentence at the foot.
        """
        self._bar, self._pointer, self._polygon, self._edit = bar, pointer, polygon, edit
        self._do, self._say = do, say
        self.tool = self._before = tools.BRUSH.key
        self._size, self._frame_wh = 0, (0, 0)
        self._is_new = False

    def begin(self, frame_wh: Size, is_new: bool) -> None:
        """Get ready for another segment, or a new one, of a frame."""
        if frame_wh != self._frame_wh:
            self._size, self._frame_wh = tools.first_size(frame_wh), frame_wh
        self._is_new = is_new
        if is_new:
            self.tool = tools.CLICK.key
        elif self.tool in tools.PICKING:
            self.tool = tools.BRUSH.key
        self._edit.wants_rings = self.tool == tools.POLYGON.key
        self.show()

    def opened(self) -> None:
        """Take another tool where the one in hand asks a model that is not there."""
        if not self._edit.can_click and self.tool in (tools.CLICK.key, tools.BOX.key):
            self._take(tools.POLYGON.key)

    # -- tools

    def use(self, tool: str) -> None:
        """Take a tool, by its key; where it can't be used, say why."""
        if self._is_allowed(tool):
            self._take(tool)

    def put_back(self) -> None:
        """Take the tool that was in hand before."""
        self._take(self._before)

    def _take(self, tool: str) -> None:
        if self.tool != tools.MERGE.key:
            self._before = self.tool
        self.tool = tool
        self._polygon.clear()
        self._edit.wants_rings = tool == tools.POLYGON.key
        if self._edit.wants_rings:
            self._edit.refresh()
        self._say(tools.said_of(tool))
        self.show()

    def resize(self, by: int) -> None:
        """Make the brush larger (1) or smaller (-1)."""
        self.set_size(tools.resized(self._size, by, tools.largest_size(self._frame_wh)))

    def set_size(self, size: int) -> None:
        """Make the brush so wide, in pixels of the frame."""
        self._size = size
        self.show()

    def show(self) -> None:
        """Show the tool in hand and the size of the brush, and give them to the pointer."""
        self._bar.show(self.tool, self._size, tools.largest_size(self._frame_wh))
        self._pointer.use(self.tool, self._size)

    # -- what is done at once

    def do(self, deed: str) -> None:
        """Do something at once, by its key; where it can't be done, say why."""
        if not self._is_allowed(deed):
            return
        if deed == tools.MERGE.key:
            self._take(self._before if self.tool == deed else deed)
        elif deed == tools.SPLIT.key:
            self._do(lambda editor: editor.split(), told=self._split)
        elif deed == tools.UNDO.key:
            self._do(lambda editor: editor.undo())
        elif deed == tools.REDO.key:
            self._do(lambda editor: editor.redo())
        elif deed == tools.DELETE.key:
            self._do(lambda editor: editor.delete())
            self._say("Enter deletes the segment. Ctrl+Z brings it back.")

    def _split(self, parts: object) -> None:
        if isinstance(parts, int) and parts > 1:
            self._say(f"Split into {parts} segments. You are editing the largest.")
        else:
            self._say("It is in one piece. Erase a line across it, then split.")

    # -- what can be done

    def _is_allowed(self, key: str) -> bool:
        button = self._bar.buttons[key]
        if not button.enabled:
            self._say(button.tip.text)
        return button.enabled

    def allow(self, state: MaskState | None) -> None:
        """Show which tools can be used on a mask; None before there is one."""
        self._bar.allow(self._why_not(state))

    def _why_not(self, state: MaskState | None) -> Mapping[str, str]:
        """Return why each tool can't be used now; "" where it can."""
        if state is None:
            return {tool.key: READING for tool in (*tools.TOOLS, *tools.DEEDS)}
        none = "" if state.area else "There is no mask yet."
        why_not = dict.fromkeys((tool.key for tool in tools.TOOLS), "")
        if not self._edit.can_click:
            why_not |= {tool.key: _NO_SAM for tool in tools.TOOLS if tool.asks_sam}
        return why_not | {
            tools.UNDO.key: "" if state.can_undo else "Nothing has been changed yet.",
            tools.REDO.key: "" if state.can_redo else "Nothing has been undone.",
            tools.MERGE.key: none,
            tools.SPLIT.key: none,
            tools.DELETE.key: "It is not saved yet. Discard it." if self._is_new else none,
        }

    # -- keys

    def bind_keys(self, area: tkinter.Misc, but: tkinter.Misc, enter: Callable[[], object]) -> None:
        """Bind the keys of all that lies in an area, before those of the window.

        Args:
            but: what is typed into.
            enter: what Enter does.
        """
        calls: dict[str, Callable[[], object]] = {
            tool.letter.lower(): partial(self.use, tool.key) for tool in tools.TOOLS
        }
        for deed in (tools.MERGE, tools.SPLIT):
            calls[deed.letter.lower()] = partial(self.do, deed.key)
        calls |= {
            "bracketleft": partial(self.resize, -1),
            "bracketright": partial(self.resize, 1),
            "Delete": partial(self.do, tools.DELETE.key),
            "Control-y": partial(self.do, tools.REDO.key),
            "Return": enter,
            "KP_Enter": enter,
        }
        keys = f"mask keys of {area}"
        for key, call in calls.items():
            bind_key(partial(area.bind_class, keys), f"<{key}>", partial(_pressed, call))
        for widget in _all_in(area):
            if not f"{widget}.".startswith(f"{but}."):
                own, *others = widget.bindtags()
                widget.bindtags((own, keys, *others))


def _pressed(call: Callable[[], object], _event: object) -> str:
    call()
    return "break"


def _all_in(widget: tkinter.Misc) -> Iterator[tkinter.Misc]:
    yield widget
    for child in widget.winfo_children():
        yield from _all_in(child)
