"""The panels of the window, in the sidebar's order; a new one is added here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.gui.detail.detail_panel import DetailActions, DetailPanel
from src.gui.duplicates.duplicates_panel import DuplicatesActions, DuplicatesPanel
from src.gui.label.label_panel import LabelPanel, LabelPanelActions, own_labels
from src.gui.library.chosen_card import LibraryActions
from src.gui.library.library_panel import LibraryPanel
from src.gui.map.map_panel import MapPanel, MapPanelActions
from src.gui.models.models_panel import ModelsPanel
from src.gui.panel.panel import Panel
from src.gui.search.chosen_hits import HitActions
from src.gui.search.search_panel import BY_IMAGE, BY_WORDS, SearchPanel
from src.gui.timeline.timeline_panel import TimelineActions, TimelinePanel

if TYPE_CHECKING:
    from src.gui.app.panels import Panels


@dataclass(frozen=True)
class PanelSpec:
    """What the window knows of a panel before it is made.

    Attributes:
        key: what the code calls it.
        title: what its row in the sidebar and the list of shortcuts say.
        build: makes it with `Panels.context`; the other panels may not be there yet. Two ways into
            one panel give the same.
        icon: of its row in the sidebar; "" for one without a row.
        keys: that lead to it, as a person reads them: "Ctrl F"; "" where there are none.
        writes: it is there to change the library, and for nothing else.
    """

    key: str
    title: str
    build: Callable[[Panels], Panel]
    icon: str = ""
    keys: str = ""
    writes: bool = False


def _library(panels: Panels) -> Panel:
    importing, dialogs = panels.import_controller, panels.dialogs
    actions = LibraryActions(
        importing.choose_files,
        importing.choose_folder,
        importing.choose_dataset,
        importing.add_samples,
        panels.open_media,
        importing.ask_to_remove,
        importing.ask_to_remove_missing,
        importing.add,
        importing.go_on,
        importing.show_failure,
        dialogs.show_in_folder,
        dialogs.copy_image,
        dialogs.open_another,
        dialogs.open_to_read,
    )
    return LibraryPanel(
        panels.context,
        actions,
        lambda empty: empty.offer(panels.models_controller, lambda: panels.go("models")),
    )


def _search(panels: Panels) -> Panel:
    actions = HitActions(
        panels.open_hit,
        panels.similar_to_hit,
        panels.add_to_search,
        panels.dialogs.show_in_folder,
        panels.dialogs.save_crops,
        panels.dialogs.copy_image,
        panels.open_timeline,
    )
    return SearchPanel(
        panels.context,
        actions,
        lambda: panels.go("models"),
        panels.models_controller,
        panels.choose_image,
        panels.paste,
        panels.go,
    )


def _detail(panels: Panels) -> Panel:
    actions = DetailActions(
        panels.back,
        panels.find_similar,
        panels.dialogs.open_file,
        panels.dialogs.show_in_folder,
        panels.detail_failed,
        panels.open_timeline,
    )
    return DetailPanel(panels.context, actions)


def _timeline(panels: Panels) -> Panel:
    actions = TimelineActions(
        panels.timeline_way.leave,
        panels.timeline_way.open_frame,
        panels.dialogs.open_file_at,
        panels.timeline_way.search,
        lambda where, title: panels.dialogs.export((), where=where, title=title),
        panels.dialogs.save_clip,
    )
    return TimelinePanel(panels.context, actions)


def _duplicates(panels: Panels) -> Panel:
    dialogs = panels.dialogs
    actions = DuplicatesActions(dialogs.ask, panels.open_copy, dialogs.show_not_trashed)
    return DuplicatesPanel(panels.context, actions)


def _label(panels: Panels) -> Panel:
    actions = LabelPanelActions(
        panels.open_candidate,
        panels.open_labelled,
        lambda: panels.search.examples,
        panels.choose_names,
        panels.import_controller.choose_files,
        lambda: panels.go(BY_WORDS),
        lambda name: panels.dialogs.export((), recipe=own_labels(name)),
    )
    return LabelPanel(panels.context, actions)


def _map(panels: Panels) -> Panel:
    actions = MapPanelActions(
        lambda: panels.search.query,
        panels.open_on_map,
        panels.show_segments,
        lambda hits: panels.dialogs.export(hits, hits_alone=True),
    )
    return MapPanel(panels.context, actions)


def _models(panels: Panels) -> Panel:
    return ModelsPanel(panels.context, panels.models_controller, panels.dialogs.open_file)


PANELS = [
    PanelSpec("library", "Library", _library, icon="grid"),
    PanelSpec(BY_WORDS, "Search by Tag", _search, icon="search", keys="Ctrl F"),
    PanelSpec(BY_IMAGE, "Search by Image", lambda panels: panels.search, icon="image"),
    PanelSpec("label", "Label", _label, icon="tag", keys="Ctrl L", writes=True),
    PanelSpec("map", "Map", _map, icon="map"),
    PanelSpec("duplicates", "Duplicates", _duplicates, icon="copies"),
    PanelSpec("detail", "Segment", _detail),
    PanelSpec("timeline", "Timeline", _timeline),
    PanelSpec("models", "Models", _models),  # opened from the card at the sidebar's foot
]
