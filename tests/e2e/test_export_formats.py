"""The export dialog offers the formats that are registered, over an empty window."""

from __future__ import annotations

import tkinter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.datasets import registry
from src.datasets.formats.tag_folders import TagFolders
from src.gui.core.session import Listeners
from src.gui.dialogs.export_dialog import ExportDialog
from src.gui.theme.theme import DARK, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button
from src.gui.widgets.inputs import Entry
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.slider import Slider
from src.library import MediaLibrary
from tests.datasets.new_format import add_tagged, labels_in, register_lines
from tests.direct_thread import DirectThread
from tests.e2e.desktop import Screen


@pytest.fixture
def dialog(
    screen: Screen,
    monkeypatch: pytest.MonkeyPatch,
    metadata: MetadataDatabase,
    tmp_path: Path,
    request: Any,
) -> Iterator[ExportDialog]:
    """The dialog over an empty window, with a library behind it and no threads."""
    known = {TagFolders.key: registry.export_format(TagFolders.key)}
    monkeypatch.setattr(registry, "_formats", known)
    if getattr(request, "param", "") == "lines":
        register_lines(tmp_path / "another package", monkeypatch)
    monkeypatch.setenv("DISPLAY", screen.display)
    add_tagged(metadata)
    metadata.close()
    root: Any = ctk.CTk()
    root.geometry("1100x800")
    theme = Theme(DARK, 1.0)
    theme.find_fonts(root)
    root.update()
    with MediaLibrary(LibraryPaths(metadata.paths.root)) as library:
        started: list[Any] = []
        session: Any = SimpleNamespace(
            read_only=False,
            only_to_write=lambda *_: None,
            library=library,
            signals=Listeners(),
            main_thread=DirectThread(),
            is_closing=False,
            start=lambda kind, job, text: started.append(job) or SimpleNamespace(),
            started=started,
            cancel=lambda job: None,
        )
        dialog = ExportDialog(Overlay(root, theme), session, [], lambda: None, lambda _: None)
        root.update()
        yield dialog
        root.update()
        root.destroy()


def texts(widget: Any) -> set[str]:
    """All that is written in the labels and buttons under a widget."""
    own = set()
    if isinstance(widget, ctk.CTkLabel | ctk.CTkCheckBox):
        own.add(str(widget.cget("text")))
    elif isinstance(widget, Button):
        own.add(widget.text)
    return own.union(*(texts(child) for child in widget.winfo_children()))


def inside(widget: Any, kind: type[Any]) -> list[Any]:
    """All widgets of a kind under another, in the order of making."""
    own = [widget] if isinstance(widget, kind) else []
    return own + [found for child in widget.winfo_children() for found in inside(child, kind)]


def test_the_dialog_of_one_format_has_no_chooser(dialog: ExportDialog) -> None:
    shown = texts(dialog._dialog)
    assert "Format" not in shown and not hasattr(dialog.choices, "format")
    hint = "One folder per tag, and labels.csv.\nA new folder is made. Nothing is overwritten."
    assert hint in shown and "Export 3 crops" in shown
    assert not dialog.choices.options.winfo_ismapped()


@pytest.mark.parametrize("dialog", ["lines"], indirect=True)
def test_the_dialog_offers_it_with_its_options(dialog: ExportDialog, tmp_path: Path) -> None:
    assert "Share for validation" not in texts(dialog._dialog)
    dialog.choices.format.choose("JSON lines")
    dialog.choices.more.flip()
    dialog._dialog.update()
    shown = texts(dialog._dialog)
    assert {"Format", "Share for validation", "0.20", "Level", "3", "Write boxes"} <= shown
    assert "One line per image in labels.jsonl." in shown
    assert "A new folder is made. Nothing is overwritten." in shown
    assert dialog.choices.options.winfo_ismapped()
    for name, value in (("case", "upper"), ("with_boxes", False)):
        dialog.choices.options._set(name, value)
    dialog.place.entry.set(str(tmp_path / "dataset"))
    dialog._start()
    (job,) = dialog._session.started
    *_, done = job()
    assert done.segments == 3
    assert labels_in("lines", tmp_path / "dataset") == {"RED": 2, "=1": 1}


@pytest.mark.parametrize("dialog", ["lines"], indirect=True)
def test_what_is_wrong_is_said_beside_the_field(dialog: ExportDialog) -> None:
    dialog.choices.format.choose("JSON lines")
    dialog.choices.more.flip()
    (entry,) = (each for each in inside(dialog.choices.options, Entry) if each.text == "100")
    entry.field.insert("end", "x")
    entry.changed()
    dialog._dialog.update()
    (wrong,) = (each for each in entry.master.winfo_children() if isinstance(each, ctk.CTkLabel))
    assert wrong.winfo_ismapped() and wrong.cget("text") == "Enter a whole number."
    assert wrong.winfo_y() >= entry.winfo_y() + entry.winfo_height()
    entry.field.event_generate("<FocusIn>")
    entry.field.event_generate("<FocusOut>")  # nor does it look right once it is left
    assert entry.cget("border_color") == DARK.error
    assert "Correct the option marked in red first." in texts(dialog._dialog)
    dialog._start()
    assert not dialog._session.started
    entry.set("7")
    dialog._dialog.update()
    assert not wrong.winfo_ismapped() and entry.cget("border_color") != DARK.error
    assert dialog.choices.options.values["per_file"] == 7


@pytest.mark.parametrize("dialog", ["lines"], indirect=True)
def test_the_dialog_fits_into_a_low_window_and_its_options_scroll(dialog: ExportDialog) -> None:
    root, content = dialog.overlay.root, dialog._scrolled
    root.geometry("960x600")
    root.update()
    dialog.choices.format.choose("JSON lines")
    dialog.choices.more.flip()
    root.update()
    whole = dialog._dialog
    assert whole.winfo_y() >= 0
    assert whole.winfo_y() + whole.winfo_height() <= root.winfo_height()
    assert content.winfo_reqheight() > content._parent_canvas.winfo_height()
    before = dialog.choices.options.values
    slider = inside(dialog.choices.options, Slider)[0]
    for part in (slider, *inside(slider, tkinter.Canvas)):
        part.event_generate("<Button-5>")  # the wheel scrolls, and changes nothing
    assert dialog.choices.options.values == before
    last = inside(dialog.choices.options, Entry)[-1]
    content.see(last)
    root.update()
    shown = content._parent_canvas
    assert last.winfo_rooty() + last.winfo_height() <= shown.winfo_rooty() + shown.winfo_height()


@pytest.mark.parametrize("dialog", ["lines"], indirect=True)
def test_tab_goes_from_the_limits_over_the_options_to_the_folder(dialog: ExportDialog) -> None:
    dialog.choices.format.choose("JSON lines")
    dialog.choices.more.flip()
    dialog._dialog.update()
    order: list[Any] = [dialog.choices.confidence]
    while order[-1] is not dialog.place.entry.field._entry:
        order.append(order[-1].tk_focusNext())
        assert len(order) < 30
    assert any(f"{each}.".startswith(f"{dialog.choices.options}.") for each in order)
