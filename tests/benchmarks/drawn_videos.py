"""Videos that are drawn, so that it is known which thing is which in each of their frames."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from src.processing.ffmpeg_process import find_ffmpeg
from src.starter.backgrounds import draw_background
from src.starter.noise import light_scene
from src.starter.scenes import LoneShape, draw_alone

SIZE_WH = (480, 360)
DRAWN_PER_SECOND = 10
SECONDS = 10.0
# A thing that is hidden further than this, or smaller, is nobody's to find.
LEAST_SEEN = 0.3
LEAST_PX = 80
_ROOM = 90  # of the background around the picture, for the camera to move in

Path_ = Callable[[float], float]


@dataclass
class Actor:
    """A thing that moves: where its middle is, how it is turned and sized, second by second.

    Attributes:
        x, y: in pixels of the world, whose origin is the picture's corner while the camera rests.
        turn: in radians.
        size: 1 as drawn.
        is_there: whether it is in the scene that is shown.
        on: the thing that it is a part of, and moves with; its x, y are then from its middle.
    """

    name: int
    shape: LoneShape
    x: Path_
    y: Path_
    turn: Path_ = lambda _: 0.0
    size: Path_ = lambda _: 1.0
    is_there: Callable[[float], bool] = lambda _: True
    on: Actor | None = None


@dataclass
class DrawnVideo:
    """A video and the truth about it.

    Attributes:
        frames: (H, W, 3) uint8 RGB, DRAWN_PER_SECOND of them a second.
        masks: of each frame, by the name of a thing: (H, W) bool, where it is seen, its parts
            among it.
        hidden: of each frame, the names of those that are too much hidden, or too small.
    """

    kind: str
    seed: int
    frames: list[np.ndarray] = field(default_factory=list)
    masks: list[dict[int, np.ndarray]] = field(default_factory=list)
    hidden: list[set[int]] = field(default_factory=list)


@dataclass
class _Play:
    """What is to be drawn: backgrounds by when they are shown, things back to front, a camera."""

    actors: list[Actor]
    grounds: list[np.ndarray]
    shown: Callable[[float], int] = lambda _: 0
    camera: Callable[[float], tuple[float, float, float]] = lambda _: (0.0, 0.0, 0.0)


def draw_video(kind: str, seed: int) -> DrawnVideo:
    """Draw one of KINDS; the same seed draws the same."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind), 29])
    play = KINDS[kind](rng)
    blur, grain = rng.uniform(0.0, 0.8), rng.uniform(0.5, 5.0)
    width, height = SIZE_WH
    light = light_scene(rng, np.full((height, width, 3), 128, np.float32)) / 128
    video = DrawnVideo(kind, seed)
    for number in range(int(SECONDS * DRAWN_PER_SECOND)):
        image, masks, hidden = _draw(play, number / DRAWN_PER_SECOND)
        image = image * light
        if blur > 0.3:
            image = cv2.GaussianBlur(image, (0, 0), blur)
        image = image + rng.normal(0, grain, image.shape).astype(np.float32)
        video.frames.append(np.clip(image, 0, 255).astype(np.uint8))
        video.masks.append(masks)
        video.hidden.append(hidden)
    return video


def write_video(video: DrawnVideo, path: Path) -> None:
    """Write it as an H.264 file, as cameras do."""
    program = find_ffmpeg()
    assert program is not None, "there is no ffmpeg"
    width, height = SIZE_WH
    command = [
        *(program, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"),
        *("-s", f"{width}x{height}", "-r", str(DRAWN_PER_SECOND), "-i", "-"),
        *("-c:v", "libx264", "-crf", "20", "-pix_fmt", "yuv420p", str(path)),
    ]
    subprocess.run(command, input=b"".join(f.tobytes() for f in video.frames), check=True)


def _draw(play: _Play, at: float) -> tuple[np.ndarray, dict[int, np.ndarray], set[int]]:
    width, height = SIZE_WH
    right, down, roll = play.camera(at)
    cos, sin = np.cos(roll), np.sin(roll)
    middle = np.array([width / 2, height / 2])
    spin = np.array([[cos, -sin], [sin, cos]])
    view = np.hstack([spin, (middle - spin @ (middle + np.array([right, down])))[:, None]])
    ground = play.grounds[play.shown(at)]
    from_ground = view.copy()
    from_ground[:, 2] -= view[:, :2] @ np.array([_ROOM, _ROOM])
    image = cv2.warpAffine(
        ground, from_ground, SIZE_WH, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    whole_px: dict[int, float] = {}
    seen: dict[int, np.ndarray] = {}
    parts = {actor.name: actor.on.name for actor in play.actors if actor.on is not None}
    for actor in play.actors:
        if not actor.is_there(at):
            continue
        place = view[:, :2] @ _pose(actor, at)[:, :2], _pose(actor, at)[:, 2]
        matrix = np.hstack([place[0], (view[:, :2] @ place[1] + view[:, 2])[:, None]])
        half = actor.shape.alpha.shape[0] / 2
        matrix[:, 2] -= matrix[:, :2] @ np.array([half, half])
        alpha = cv2.warpAffine(actor.shape.alpha, matrix, SIZE_WH)
        rgb = cv2.warpAffine(actor.shape.rgb, matrix, SIZE_WH, borderMode=cv2.BORDER_REPLICATE)
        image = image + (rgb - image) * alpha[..., None]
        covered = alpha > 0.5
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        whole_px[actor.name] = float((actor.shape.alpha > 0.5).sum()) * scale**2
        for name in seen:  # a part hides nothing of what it is on
            if parts.get(actor.name) != name:
                seen[name] &= ~covered
        seen[actor.name] = covered
    masks, hidden = {}, set()
    for name, mask in seen.items():
        area = int(mask.sum())
        if area >= LEAST_PX and area >= LEAST_SEEN * whole_px[name]:
            masks[name] = mask
        elif area:
            masks[name] = mask
            hidden.add(name)
    return image, masks, hidden


def _pose(actor: Actor, at: float) -> np.ndarray:
    """Where an actor is in the world: (2, 3), from its own picture's middle."""
    cos, sin, size = np.cos(actor.turn(at)), np.sin(actor.turn(at)), actor.size(at)
    own = np.array([[cos * size, -sin * size, actor.x(at)], [sin * size, cos * size, actor.y(at)]])
    if actor.on is None:
        return own
    under = _pose(actor.on, at)
    moved = under[:, :2] @ own
    moved[:, 2] += under[:, 2]
    return moved


# -- the plays


def _ground(rng: np.random.Generator) -> np.ndarray:
    width, height = SIZE_WH
    image = draw_background(rng, (width + 2 * _ROOM, height + 2 * _ROOM)).image
    return np.ascontiguousarray(image, np.float32)


def _shape(rng: np.random.Generator, ground: np.ndarray, low: float, high: float) -> LoneShape:
    return draw_alone(rng, rng.uniform(low, high), np.median(ground.reshape(-1, 3), axis=0))


def _bouncing(start: float, speed: float, low: float, high: float) -> Path_:
    span = high - low

    def at(time: float) -> float:
        along = (start - low + speed * time) % (2 * span)
        return low + (along if along <= span else 2 * span - along)

    return at


def _straight(start: float, speed: float) -> Path_:
    return lambda time: start + speed * time


def _resting(at: float) -> Path_:
    return lambda _: at


def _swaying(rng: np.random.Generator, middle: float, reach: float, period: float) -> Path_:
    phase = rng.uniform(0, 2 * np.pi)
    return lambda time: middle + reach * np.sin(2 * np.pi * time / period + phase)


def _moving_things(
    rng: np.random.Generator, ground: np.ndarray, count: int, first: int, slow: float, fast: float
) -> list[Actor]:
    width, height = SIZE_WH
    things = []
    for name in range(first, first + count):
        shape = _shape(rng, ground, 20, 48)
        speed, way = rng.uniform(slow, fast), rng.uniform(0, 2 * np.pi)
        x = _bouncing(rng.uniform(40, width - 40), speed * np.cos(way), 30, width - 30)
        y = _bouncing(rng.uniform(40, height - 40), speed * np.sin(way), 30, height - 30)
        things.append(Actor(name, shape, x, y))
    return things


def _moving(rng: np.random.Generator) -> _Play:
    ground = _ground(rng)
    return _Play(_moving_things(rng, ground, 6, 0, 20, 80), [ground])


def _across(
    rng: np.random.Generator, shape: LoneShape, name: int, y: float, meets_at: float, way: int
) -> Actor:
    """One that goes through the middle at a moment."""
    speed = way * rng.uniform(25, 60)
    drift = rng.uniform(-6, 6)
    middle = SIZE_WH[0] / 2 + rng.uniform(-60, 60)
    return Actor(
        name, shape, lambda t: middle + speed * (t - meets_at), lambda t: y + drift * (t - meets_at)
    )


def _crossing(rng: np.random.Generator) -> _Play:
    ground = _ground(rng)
    things: list[Actor] = []
    for pair in range(3):
        y, meets_at = 70 + 110 * pair, rng.uniform(3, 7)
        for way in (-1, 1):
            shape = _shape(rng, ground, 24, 42)
            things.append(_across(rng, shape, len(things), y + rng.uniform(-15, 15), meets_at, way))
    return _Play(things, [ground])


def _twins(rng: np.random.Generator) -> _Play:
    ground = _ground(rng)
    things: list[Actor] = []
    for pair in range(2):
        shape = _shape(rng, ground, 24, 40)
        y, meets_at = 100 + 150 * pair, rng.uniform(3, 7)
        for way in (-1, 1):
            things.append(_across(rng, shape, len(things), y + 18 * way, meets_at, way))
    return _Play(things + _moving_things(rng, ground, 2, len(things), 10, 40), [ground])


def _turning(rng: np.random.Generator) -> _Play:
    ground = _ground(rng)
    things = _moving_things(rng, ground, 5, 0, 5, 40)
    for thing in things:
        speed = np.radians(rng.uniform(20, 140)) * rng.choice([-1, 1])
        thing.turn = _straight(0.0, speed)
    return _Play(things, [ground])


def _resizing(rng: np.random.Generator) -> _Play:
    ground = _ground(rng)
    things = _moving_things(rng, ground, 5, 0, 5, 40)
    for thing in things:
        thing.size = _swaying(rng, 1.05, rng.uniform(0.25, 0.55), rng.uniform(5, 10))
    return _Play(things, [ground])


def _returning(rng: np.random.Generator) -> _Play:
    width, height = SIZE_WH
    ground = _ground(rng)
    things = []
    for name in range(5):  # out over an edge and back
        shape = _shape(rng, ground, 22, 42)
        x, y = rng.uniform(60, width - 60), 50 + (height - 100) * name / 4
        side = rng.choice([-1, 1])
        reach, period = rng.uniform(1.2, 1.5) * width / 2, rng.uniform(7, 11)
        things.append(Actor(name, shape, _swaying(rng, width / 2, reach, period), _resting(y)))
        del x, side
    post = draw_alone(rng, 62, np.median(ground.reshape(-1, 3), axis=0))
    x, y = rng.uniform(150, width - 150), rng.uniform(100, height - 100)
    return _Play([*things, Actor(5, post, lambda _: x, lambda _: y)], [ground])


def _shake(
    rng: np.random.Generator, strength: float = 1.0
) -> Callable[[float], tuple[float, float, float]]:
    periods, phases = rng.uniform(0.4, 4.0, (3, 3)), rng.uniform(0, 2 * np.pi, (3, 3))
    reach = np.array([[20, 10, 4], [16, 8, 4], [0.03, 0.02, 0.01]])
    pan = rng.uniform(-4, 4)

    def camera(time: float) -> tuple[float, float, float]:
        right, down, roll = (reach * np.sin(2 * np.pi * time / periods + phases)).sum(axis=1)
        right += pan * (time - SECONDS / 2)
        return strength * right, strength * down, strength * roll

    return camera


def _shaking(rng: np.random.Generator) -> _Play:
    ground = _ground(rng)
    return _Play(_moving_things(rng, ground, 6, 0, 0, 35), [ground], camera=_shake(rng))


def _cutting(rng: np.random.Generator) -> _Play:
    """A scene, another one, and the first again from nearly the same place."""
    grounds = [_ground(rng), _ground(rng)]
    first, second = rng.uniform(3.0, 3.8), rng.uniform(6.2, 7.0)

    def scene(time: float) -> int:
        return int(first <= time < second)

    things = _moving_things(rng, grounds[0], 4, 0, 5, 30)
    others = _moving_things(rng, grounds[1], 4, 4, 5, 30)
    for thing in things:
        thing.is_there = lambda time: scene(time) == 0
    for thing in others:
        thing.is_there = lambda time: scene(time) == 1
    away = rng.uniform(-25, 25, 2)

    def camera(time: float) -> tuple[float, float, float]:
        return (*away, 0.0) if time >= second else (0.0, 0.0, 0.0)

    return _Play(things + others, grounds, scene, camera)


def _nested(rng: np.random.Generator) -> _Play:
    """Things with parts that move and turn with them."""
    ground = _ground(rng)
    things: list[Actor] = []
    for _ in range(3):
        body = _moving_things(rng, ground, 1, len(things), 10, 50)[0]
        radius = rng.uniform(48, 62)
        middle = np.median(ground.reshape(-1, 3), axis=0)
        body.shape = draw_alone(rng, radius, middle)
        body.turn = _straight(0.0, np.radians(rng.uniform(-40, 40)))
        things.append(body)
        colour = body.shape.rgb[body.shape.rgb.shape[0] // 2, body.shape.rgb.shape[1] // 2]
        for way in (-1, 1):
            part = draw_alone(rng, rng.uniform(0.2, 0.28) * radius, colour)
            place = way * 0.34 * radius
            things.append(Actor(len(things), part, _resting(place), _resting(0.0), on=body))
    return _Play(things, [ground])


def _mixed(rng: np.random.Generator) -> _Play:
    ground = _ground(rng)
    width, height = SIZE_WH
    things = _moving_things(rng, ground, 3, 0, 10, 60)
    for thing in things:
        thing.turn = _straight(0.0, np.radians(rng.uniform(-60, 60)))
        thing.size = _swaying(rng, 1.0, rng.uniform(0.1, 0.3), rng.uniform(5, 10))
    twin = _shape(rng, ground, 22, 36)
    for way in (-1, 1):
        meets_at = rng.uniform(4, 6)
        things.append(_across(rng, twin, len(things), height / 2 + 20 * way, meets_at, way))
    away = _shape(rng, ground, 22, 36)
    path = _swaying(rng, width / 2, 0.65 * width, 9.0)
    things.append(Actor(len(things), away, path, lambda _: 60.0))
    return _Play(things, [ground], camera=_shake(rng, 0.5))


KINDS: dict[str, Callable[[np.random.Generator], _Play]] = {
    "moving": _moving,
    "crossing": _crossing,
    "twins": _twins,
    "turning": _turning,
    "resizing": _resizing,
    "returning": _returning,
    "shaking": _shaking,
    "cuts": _cutting,
    "nested": _nested,
    "mixed": _mixed,
}
