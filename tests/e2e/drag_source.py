"""A small window of another program that files can be dragged out of. Run by /usr/bin/python3.

GTK, since tkinterdnd2 as a source drops an empty list on Linux.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402

# its middle is where the harness presses
LEFT, TOP, SIDE = 20, 20, 80


def main(names: list[str]) -> None:
    """Show the window until its files were dragged somewhere."""
    window = Gtk.Window(title="Files to drag")
    window.set_decorated(False)
    window.set_keep_above(True)
    window.set_accept_focus(False)
    window.set_default_size(SIDE, SIDE)
    window.move(LEFT, TOP)
    window.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
    window.drag_source_add_uri_targets()
    uris = [Path(name).as_uri() for name in names]
    window.connect("drag-data-get", lambda _w, _context, data, *_: data.set_uris(uris))
    window.connect("drag-end", lambda *_: Gtk.main_quit())
    window.connect("map-event", lambda *_: print("ready", flush=True))
    window.show_all()
    Gtk.main()


main(sys.argv[1:])
