"""Another program that has an image on the clipboard. Run by /usr/bin/python3."""

from __future__ import annotations

import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, Gtk  # noqa: E402

clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
clipboard.set_image(GdkPixbuf.Pixbuf.new_from_file(sys.argv[1]))
Gdk.Display.get_default().sync()  # the server knows the owner before anyone pastes
print("ready", flush=True)
Gtk.main()
