"""The parts of the export dialog over an empty window, with photos whose masks are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.export_records import AlikePair
from src.gui.dialogs.contact_sheet import ContactSheet
from src.gui.dialogs.export_choices import ALL, BY_TAG
from src.gui.dialogs.export_dialog import ExportDialog
from src.gui.dialogs.export_more import MoreOptions
from src.gui.dialogs.pair_list import PairList
from src.gui.dialogs.sample_viewer import SampleViewer
from src.gui.dialogs.split_choice import BY_SHARES, NO_SPLIT
from src.gui.widgets.controls import Button
from src.records import Tag
from src.search.filter_text import parse_filter
from src.search.recipe import Recipe, classes_of
from tests.datasets.drawn_library import a_mask, add_photo
from tests.e2e.desktop import Screen
from tests.e2e.empty_window import empty_window
from tests.e2e.test_export_formats import inside, texts

PHOTOS = 8
RECIPE = Recipe(
    min_confidence=0.25,
    labels="people",
    classes=(*classes_of("dog"), *classes_of("red")),
    several="surest",
    images="crops",
    only_reviewed=False,
    most_per_class=7,
    split="70/0/30",
    seed=5,
    format="coco",
)


@pytest.fixture
def dialog(
    screen: Screen,
    monkeypatch: pytest.MonkeyPatch,
    metadata: MetadataDatabase,
    tmp_path: Path,
) -> Iterator[ExportDialog]:
    """The dialog over an empty window, with photos of dogs, cats and red things."""
    monkeypatch.setenv("DISPLAY", screen.display)
    for number in range(PHOTOS):
        masks = [a_mask((4, 4, 20, 30), hole=True), a_mask((40, 6, 14, 20))]
        ids = add_photo(metadata, tmp_path / "photos" / f"{number}.png", masks, number)
        animal = Tag("dog" if number % 3 else "cat", 1.0, "human")
        metadata.add_tags(ids[1], [animal], "human")
        metadata.add_tags(ids[2], [Tag("red", 0.4 + 0.07 * number, "auto")], "human")
    metadata.close()
    with empty_window(metadata) as window:
        dialog = ExportDialog(window.overlay, window.session, [], lambda: None, lambda _: None)
        window.overlay.root.update()
        yield dialog


def export(dialog: ExportDialog, folder: Path) -> None:
    dialog.place.entry.set(str(folder))
    dialog._start()
    dialog._session.jobs.run()
    dialog._dialog.update()


def test_each_format_writes_what_the_dialog_counted(dialog: ExportDialog, tmp_path: Path) -> None:
    formats = dialog._session.library.export_formats()
    for chosen in formats:
        dialog.choices.format.choose(chosen.label)
        dialog._dialog.update()
        assert dialog.choices.more.image_form == chosen.forms[0]
        assert dialog.choices.recipe().split == ("80/10/10" if chosen.is_for_training else "")
        wanted = dialog._preview
        if chosen.key == "mot":  # photos have no tracks
            assert wanted.images == 0 and not dialog._footer._export.enabled
            continue
        export(dialog, tmp_path / chosen.key)
        report = dialog._run.report
        assert report is not None
        assert sum(report.images.values()) == wanted.images > 0
        assert report.annotations == sum(wanted.written.values())
        shown = texts(dialog._dialog)
        assert {"Read back and checked", "Open folder", "Export again"} <= shown
        assert dialog._outcome is not None and not dialog.card.frame.winfo_ismapped()
        # the crops that the drawn library keeps are no pictures
        assert dialog._outcome.sheet._reader.samples or chosen.forms[0] == "blurred"
        dialog._again()
        dialog._dialog.update()
        assert dialog.card.frame.winfo_ismapped()


def test_shares_that_do_not_add_up_are_said_and_not_exported(dialog: ExportDialog) -> None:
    split = dialog.choices.split
    assert split.choice.value == NO_SPLIT and not dialog.card.split_bar.winfo_ismapped()
    split.choice.choose(BY_SHARES)
    dialog._dialog.update()
    assert dialog.choices.recipe().split == "80/10/10"
    assert dialog.card.split_bar.winfo_ismapped()
    assert [each.split()[0] for each in dialog.card.split_bar.texts][:1] == ["train"]
    split.entries[0].set("60")
    assert "They are 80 now" in split.problem
    assert split.problem in texts(dialog._dialog) and not dialog._footer._export.enabled
    split.entries[2].set("30")
    split.entries[3].set("7")
    assert (dialog.choices.recipe().split, dialog.choices.recipe().seed) == ("60/10/30", 7)
    assert dialog._footer._export.enabled
    split.entries[3].set("many")
    assert split.problem == "Enter a whole number as the seed."


def test_classes_are_merged_in_the_bars_and_wrong_ones_are_said(dialog: ExportDialog) -> None:
    more = dialog.choices.more
    more.flip()
    more.classes.field.insert("1.0", "dog, cat -> animal\ncat -> pet")
    more.classes._changed()
    assert 'The tag "cat" is in two classes.' in texts(dialog._dialog)
    assert not dialog._footer._export.enabled
    more.classes.field.delete("2.0", "end")
    more.classes._changed()
    assert dialog._preview.written["animal"] == PHOTOS and "dog" not in dialog._preview.written
    dialog.choices.what.choose(BY_TAG)
    assert dialog.balance.chosen == {"animal", "red"}
    dialog.balance._flip(dialog.balance._names.index("red"))
    assert set(dialog._preview.written) == {"animal"}
    dialog.balance._flip(dialog.balance._names.index("animal"))
    assert not dialog._preview.written and not dialog._footer._export.enabled
    dialog.choices.what.choose(ALL)
    assert set(dialog._preview.written) == {"animal", "red"}


def test_a_recipe_is_kept_chosen_changed_and_deleted(dialog: ExportDialog) -> None:
    library, menu = dialog._session.library, dialog.recipes
    dialog._show_recipe(RECIPE)
    assert replace(dialog._recipe_to_keep(), options={}) == RECIPE
    menu.save_as()
    assert menu._dropdown is not None
    menu._dropdown.entry.set("pets")
    menu._dropdown._save()
    assert replace(library.recipes.get("pets"), options={}) == RECIPE and menu.value == "pets"
    dialog.choices.confidence._moved(0.75)
    dialog._count()
    assert menu.value == "pets (changed)"
    dialog.choices.what.choose(ALL)
    menu.pick("pets")
    assert replace(dialog._recipe(), options={}) == RECIPE and menu.value == "pets"
    menu.delete()
    (question,) = (b for b in inside(dialog.overlay.dialog, Button) if b.text == "Delete")
    question.invoke()
    assert library.recipes.names() == () and menu.value == "No recipe"


def test_what_a_recipe_asks_beyond_the_controls_is_said_and_can_be_dropped(
    dialog: ExportDialog,
) -> None:
    recipe = Recipe(parse_filter("tag:dog"), parse_filter("width>=10"), min_confidence=0.5)
    dialog._show_recipe(recipe)
    dialog._dialog.update()
    assert str(dialog._recipe().where) == "tag:dog" and "width>=10" in str(dialog._recipe().limits)
    assert any("tag:dog" in text and "width" in text for text in texts(dialog._dialog))
    dialog.choices._drop_filter()
    assert not dialog._recipe().where and not dialog._recipe().limits


def test_the_dialog_fits_into_the_least_window_with_all_of_it_open(dialog: ExportDialog) -> None:
    root = dialog.overlay.root
    dialog.choices.format.choose("COCO")
    dialog.choices.more.flip()
    root.update()
    whole = dialog._dialog
    assert whole.winfo_y() >= 0
    assert whole.winfo_y() + whole.winfo_height() <= root.winfo_height()
    more, canvas = dialog.choices.more, dialog._scrolled._parent_canvas
    assert abs(more.button.winfo_rooty() - canvas.winfo_rooty()) < 24  # what was opened is seen
    canvas.yview_moveto(1.0)
    root.update()
    more.flip()
    root.update()
    button = more.button  # the last thing that is left
    assert (
        canvas.winfo_rooty() < button.winfo_rooty() < canvas.winfo_rooty() + canvas.winfo_height()
    )
    assert isinstance(more, MoreOptions) and not more.is_open


def test_similar_images_on_two_sides_are_told_of_and_listed(dialog: ExportDialog) -> None:
    paths = dialog._session.library.paths
    crops = tuple(sorted(paths.extracted_segments.rglob("*.jpg")))[:2]
    pair = AlikePair((Path("a.jpg"), Path("b.jpg")), ("train", "test"), crops, 0.97)  # type: ignore[arg-type]
    preview = replace(dialog._preview, warnings=("it is small",), close_pairs=(pair,) * 5)
    dialog._preview = preview
    dialog.card.show(preview, preview)
    assert "It is small. (+1 more)" in texts(dialog.card.frame)
    dialog.card.details.invoke()
    dialog._dialog.update()
    details = dialog.overlay.dialog
    assert {"It is small.", "Similar images on different sides of the split (5)"} <= texts(details)
    (pairs,) = inside(details, PairList)
    written = [
        pairs.itemcget(item, "text") for item in pairs.find_all() if pairs.type(item) == "text"
    ]
    assert written[:5] == ["a.jpg", "train", "b.jpg", "test", "0.97"]


def test_images_are_leafed_through(dialog: ExportDialog) -> None:
    dialog.choices.format.choose("COCO")
    dialog._show_samples()
    dialog._dialog.update()
    assert dialog._samples is not None and len(dialog._samples.samples) == PHOTOS
    shown = texts(dialog.overlay.dialog)
    assert f"1 of {PHOTOS}" in shown
    viewer = SampleViewer(dialog.overlay, "Again", dialog._samples, PHOTOS - 2)
    dialog._dialog.update()
    viewer.picture.event_generate("<Right>")
    assert f"{PHOTOS} of {PHOTOS}" in texts(viewer._dialog) and not viewer.next.enabled
    viewer.go(1)
    viewer.go(-1)
    assert f"{PHOTOS - 1} of {PHOTOS}" in texts(viewer._dialog)
    drawn = [viewer.picture.type(item) for item in viewer.picture.find_all()]
    assert drawn.count("image") == 1 and drawn.count("text") >= 1


def test_a_picture_of_the_contact_sheet_opens_it(dialog: ExportDialog, tmp_path: Path) -> None:
    dialog.choices.format.choose("COCO")
    export(dialog, tmp_path / "dataset")
    assert dialog._outcome is not None
    sheet = dialog._outcome.sheet
    assert isinstance(sheet, ContactSheet) and sheet.find_all()
    sheet.event_generate("<ButtonRelease-1>", x=5, y=5)
    dialog._dialog.update()
    assert {"Exported images", f"1 of {PHOTOS}"} <= texts(dialog.overlay.dialog)


def test_a_recipe_that_the_dialog_opens_with_is_shown_once_it_has_its_size(
    dialog: ExportDialog,
) -> None:
    overlay, session = dialog.overlay, dialog._session
    overlay.close()
    recipe = Recipe(labels="accepted", classes=classes_of("dog"))
    opened = ExportDialog(overlay, session, [], lambda: None, lambda _: None, recipe=recipe)
    for _ in range(5):
        overlay.root.update()
    assert opened._dialog.winfo_ismapped() and opened.choices.more.is_open
    assert opened.choices.more.labels.value == "From people, accepted together too"
    assert set(opened._preview.written) == {"dog"} and opened.balance.chosen == {"dog"}
    assert opened._recipe().labels == "accepted"


def test_a_range_is_named_and_can_be_taken_away(dialog: ExportDialog) -> None:
    everything = dialog._preview.images
    where = parse_filter("tag:cat")
    dialog.choices.limit_to(where, "0:04.0–0:06.5 of dog.mp4")
    dialog._changed()
    dialog._dialog.update()
    assert 0 < dialog._preview.images < everything
    assert dialog.choices.recipe().where == where
    assert "Only 0:04.0–0:06.5 of dog.mp4" in texts(dialog._dialog)
    dialog.choices.format.choose("COCO")
    assert dialog.choices.recipe().split == ""  # it may be of one video
    dialog.choices._drop_filter()
    dialog._dialog.update()
    assert not dialog.choices.recipe().where and dialog._preview.images > 0


def test_what_the_dialog_is_fitted_by_does_not_follow_from_it(
    dialog: ExportDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it is fitted again and again, which ended the program at 150 %."""
    rooms: list[int] = []
    monkeypatch.setattr(dialog._scrolled, "fit", rooms.append)
    dialog._fit()
    monkeypatch.setattr(dialog._body, "winfo_reqheight", lambda: 10)
    monkeypatch.setattr(dialog._dialog, "winfo_reqheight", lambda: 1000)
    dialog._fit()
    assert rooms[0] == rooms[1] > 100
