"""Masks edited: python -m tests.benchmarks.mask_editing [--photo FILE] [--video FILE] [--write]

Two tables. The first has what a person waits for on large frames, with the starter model: the
frame opened, embedded, then clicks, previews, strokes and the edit kept. The second has the mean
IoU after one click and more on drawn scenes, each click in the middle of the largest part that is
still wrong, beside Meta's SamPredictor asked the same with the same weights: its first mask is the
one that it rates best of three, and later ones go on from the logits before.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from segment_anything import SamPredictor

from src.config import LibraryPaths
from src.labels.mask_editor import MaskEditor
from src.library import MediaLibrary
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.settings import Settings
from src.starter.evaluate import fresh_scenes, iou
from src.starter.scenes import Scene, draw_scene
from tests.benchmarks.clicks import middle
from tests.benchmarks.page import put_table
from tests.labels.in_memory import open_in_memory

MARKS = ("<!-- mask editing -->", "<!-- end of mask editing -->")
REPEATS = 9


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", type=Path, help="enlarged to 12 and 50 megapixels; else drawn")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--clicks", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        times = waiting_table(Path(folder), chosen.photo, chosen.video)
    print(times, flush=True)
    ious = iou_table(chosen.scenes, chosen.clicks)
    print(ious)
    if chosen.write:
        put_table(MARKS, f"{times}\n\n{ious}")


# -- how long a person waits


def waiting_table(folder: Path, photo: Path | None, video: Path | None) -> str:
    frames: list[tuple[str, Path]] = []
    for megapixels in (12, 50):
        path = folder / f"{megapixels}.jpg"
        cv2.imwrite(str(path), _enlarged(photo, megapixels))
        frames.append((f"photo of {megapixels} megapixels", path))
    if video is not None:
        frames.append((f"last frame of {video.name}", video))
    rows = []
    settings = Settings(sam_model="none", frames_per_second=1)
    for number, (name, path) in enumerate(frames):
        paths = LibraryPaths(folder / f"library {number}")
        with MediaLibrary(paths, settings=settings) as library:
            for _ in library.add([path]):
                pass
            library.choose_models(None, "starter")
            (media,) = library.metadata.all_media()
            frame = library.browse.sampled_frames(media.id)[-1]
            rows.append((name, _waits(library, frame.segment_id)))
    names = list(rows[0][1])
    head = "| ms | " + " | ".join(name for name, _ in rows) + " |"
    lines = [head, "| --- |" + " --- |" * len(rows)]
    for what in names:
        lines.append(f"| {what} | " + " | ".join(f"{found[what]:,.0f}" for _, found in rows) + " |")
    return "\n".join(line.replace(",0 ", " ") for line in lines)


def _waits(library: MediaLibrary, segment_id: str) -> dict[str, float]:
    """Measure each act on one frame: the median, and the longest where there are many."""
    found: dict[str, float] = {}
    begun = time.perf_counter()
    with library.edit_frame(segment_id) as editor:
        found["open the frame"] = 1000 * (time.perf_counter() - begun)
        found["embed it, once"] = _took(editor.prepare)
        width, height = editor.size_wh
        random = np.random.default_rng(28)
        places = random.uniform((0.1, 0.1), (0.9, 0.9), (REPEATS, 2)) * (width, height)

        def first(number: int) -> None:
            editor.begin(None)
            further(2 * number)

        def further(number: int) -> None:
            x, y = places[number % REPEATS]
            editor.click(x, y, inside=not number % 2)

        def box(number: int) -> None:
            (x0, y0), (x1, y1) = places[number] / 2, places[number] + width / 10
            editor.box(x0, y0, x1, y1)

        found["first click"] = _median(first)
        found["preview under the pointer"] = _median(lambda number: editor.preview(*places[number]))
        found["further click"] = _median(further)
        found["box"] = _median(box)
        found |= _strokes(editor, random)
        editor.begin(None)
        editor.polygon(_star(width / 2, height / 2, min(width, height) / 3))
        rings = editor.polygon_points()

        def drag(number: int) -> None:
            rings[0][0] += 3
            editor.set_polygon(rings, continues=number > 0)

        found["a corner dragged"] = _median(drag)
        found["state"] = _median(lambda _: editor.state)
        found["keep"] = _took(editor.keep)
    return found


def _strokes(editor: MaskEditor, random: np.random.Generator) -> dict[str, float]:
    width, height = editor.size_wh
    radius = min(width, height) / 60
    steps = np.cumsum(random.normal(0, radius, (200, 2)), axis=0)
    way = (steps + np.array([width / 2, height / 2])).clip(0, (width, height)).tolist()
    moves = []
    editor.begin(None)
    for number in range(1, len(way)):
        part = way[number - 1 : number + 1]
        moves.append(_took(partial(editor.stroke, part, radius, continues=number > 1)))
    whole = _median(lambda number: editor.stroke(way, radius, erase=bool(number % 2)))
    return {
        "a move of the brush": statistics.median(moves),
        "the slowest of 199 moves": max(moves),
        "a stroke of 200 points at once": whole,
    }


def _took(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - begun)


def _median(act: Callable[[int], object]) -> float:
    return statistics.median(_took(partial(act, number)) for number in range(REPEATS))


def _star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    turns = np.arange(40) * np.pi / 20
    radii = np.where(np.arange(40) % 2, radius, radius * 0.8)
    return list(zip(x + radii * np.cos(turns), y + radii * np.sin(turns), strict=True))


def _enlarged(photo: Path | None, megapixels: float) -> np.ndarray:
    if photo is None:
        scene = draw_scene(np.random.default_rng(28), (640, 480), count=8)
        picture: np.ndarray = cv2.cvtColor(scene.image_rgb, cv2.COLOR_RGB2BGR)
    else:
        read = cv2.imread(str(photo))
        if read is None:
            raise SystemExit(f"{photo}: can't be read")
        picture = read
    scale = (megapixels * 1e6 / (picture.shape[0] * picture.shape[1])) ** 0.5
    large: np.ndarray = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return large


# -- how good the masks are


def iou_table(scenes: int, clicks: int) -> str:
    sam = ModelManager(device="cpu").load_starter_sam()
    assert isinstance(sam, MaskGenerator)
    ours: list[list[float]] = []
    metas: list[list[float]] = []
    mended: list[list[float]] = []
    predictor = SamPredictor(sam.sam)
    for scene in fresh_scenes(scenes, seed=5):
        with open_in_memory(scene.image_rgb, sam) as editor:
            predictor.set_image(scene.image_rgb)
            for shape in scene.shapes:
                ours.append(_by_clicks(editor, shape.mask, clicks))
                metas.append(_by_metas(predictor, shape.mask, clicks))
        mended += _mended(scene, sam, clicks)
    head = "| mean IoU | before | " + " | ".join(f"{n + 1}" for n in range(clicks)) + " |"
    lines = [head.replace("| 1 |", "| 1 click |"), "| --- | --- |" + " --- |" * clicks]
    for name, runs in (
        (f"a new segment, {len(ours)} shapes of {scenes} scenes", [[0.0, *run] for run in ours]),
        ("the same by Meta's SamPredictor, same weights", [[0.0, *run] for run in metas]),
        ("a segment that everything mode has cut, mended", mended),
    ):
        means = np.mean(runs, axis=0)
        lines.append(f"| {name} | " + " | ".join(f"{mean:.3f}" for mean in means) + " |")
    return "\n".join(lines)


def _by_clicks(editor: MaskEditor, wanted: np.ndarray, count: int) -> list[float]:
    editor.begin(None)
    return _clicked_on(editor, wanted, count)


def _clicked_on(editor: MaskEditor, wanted: np.ndarray, count: int) -> list[float]:
    found = []
    for _ in range(count):
        x, y = middle(wanted ^ editor.mask)
        editor.click(x + 0.5, y + 0.5, bool(wanted[y, x]))
        found.append(iou(editor.mask, wanted))
    return found


def _by_metas(predictor: SamPredictor, wanted: np.ndarray, count: int) -> list[float]:
    mask, logits = np.zeros_like(wanted), None
    points: list[tuple[int, int]] = []
    labels: list[bool] = []
    found = []
    for _ in range(count):
        x, y = middle(wanted ^ mask)
        points.append((x, y))
        labels.append(bool(wanted[y, x]))
        masks, rated, low = predictor.predict(
            np.array(points, float),
            np.array(labels, int),
            mask_input=logits,
            multimask_output=logits is None,
        )
        best = int(rated.argmax())
        mask, logits = masks[best].astype(bool), low[best : best + 1]
        found.append(iou(mask, wanted))
    return found


def _mended(scene: Scene, sam: MaskGenerator, count: int) -> list[list[float]]:
    """Mend what everything mode has cut of each shape, where it is at least half right."""
    masks = [record["segmentation"].astype(bool) for record in sam.masks(scene.image_rgb)]
    runs = []
    for shape in scene.shapes:
        start = max(masks, key=lambda mask: iou(mask, shape.mask), default=None)
        if start is None or not 0.5 <= iou(start, shape.mask) < 0.97:
            continue
        with open_in_memory(scene.image_rgb, sam, {"cut": start}) as editor:
            editor.begin("cut")
            runs.append([iou(start, shape.mask), *_clicked_on(editor, shape.mask, count)])
    return runs


if __name__ == "__main__":
    main()
