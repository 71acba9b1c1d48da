"""The Models panel from outside: fetched with a break, stopped, refused, chosen, in use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from src.models.model_registry import MIRROR, entry
from src.models.model_service import OFFERED_CLIP, OFFERED_SAMS
from tests.e2e.desktop import Screen, Start, State, Window, wait_until
from tests.small_weights import clip_b_32
from tests.web_server import Server

CLIP, SAM = OFFERED_CLIP, next(name for name in OFFERED_SAMS if not entry(name).needs)
NO_SAM = "Whole images only (CLIP only)"


@pytest.fixture(scope="module")
def weights() -> bytes:
    return clip_b_32()


@pytest.fixture
def mirror(
    weights: bytes, screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """A company's mirror, and a models folder with nothing in it."""
    (tmp_path / "models").mkdir()
    with Server.running(weights) as server:
        monkeypatch.setitem(screen.environment, MIRROR, server.address)
        monkeypatch.setitem(screen.environment, "MEDIA_LIBRARY_MODELS", str(tmp_path / "models"))
        monkeypatch.setitem(screen.environment, "no_proxy", "127.0.0.1")
        yield server


@pytest.fixture
def opened(mirror: Server, start: Start, filled: Path, tmp_path: Path) -> Callable[[], Window]:
    """Open the library on its Models panel, as often as is asked for."""
    library = tmp_path / "library"

    def open_models() -> Window:
        if not library.exists():
            shutil.copytree(filled, library)
        window = start(library)
        window.wait("models", lambda s: s["models_ready"] and "Starter models" in s["buttons"])
        window.click("Starter models")
        # a line is told of before it has its place
        window.wait("the table", lambda s: s["models"] and s["models"][SAM]["box"][2] > 1)
        return window

    return open_models


def press(window: Window, name: str, button: str) -> None:
    """Press the button of a model."""

    def there(state: State) -> list[int] | None:
        line = state["models"][name]
        drawn = line["box"][2] > 1
        return line["box"] if drawn and line["button"] == button and line["enabled"] else None

    box = window.wait_still(f"{button} of {name}", there)
    assert box is not None
    window.click_at(box)


def middle(window: Window) -> tuple[int, int]:
    left, top, width, height = window.state()["window"]
    return left + width // 2, top + height // 2


def wait_line(window: Window, name: str, what: str, look: Callable[[State], object]) -> State:
    """Wait until the line of a model says something."""
    return window.wait(
        f"{name}: {what}",
        lambda s: s["models"][name] if look(s["models"][name]) else None,
    )


def says(words: str) -> Callable[[State], object]:
    return lambda s: any(words in text for text in s["texts"])


def test_a_model_is_fetched_in_two_clicks_and_takes_over_when_it_has_read_the_library(
    opened: Callable[[], Window], mirror: Server, tmp_path: Path
) -> None:
    mirror.misdeed = "falls silent"
    window = opened()
    wait_line(window, CLIP, "not here", lambda line: line["state"] == "Not downloaded")
    press(window, CLIP, "Download")
    quarter = len(mirror.content) // 4
    wait_line(window, CLIP, "a quarter", lambda line: (line["fraction"] or 0) >= 0.24)
    window.wait("the strip", lambda s: s["strip"].startswith(f"Downloading {CLIP}"))
    window.ask_to_close()
    window.wait_text("Stop the download?")
    window.click("Stop and close")
    window.ends()  # at once, while the server still says nothing
    part = tmp_path / "models" / f"{entry(CLIP).file_name}.part"
    assert part.stat().st_size == quarter

    window = opened()
    wait_line(window, CLIP, "a part of it", lambda line: line["state"].split()[1:2] == ["of"])
    press(window, CLIP, "Resume")
    wait_line(window, CLIP, "half of it", lambda line: (line["fraction"] or 0) >= 0.49)
    assert mirror.asked[-1]["Range"] == f"bytes={quarter}-"
    mirror.misdeed = ""
    mirror.goes_on.set()  # it hangs up; the rest comes by itself
    wait_line(window, CLIP, "chosen", lambda line: line["state"] == "Selected")
    assert not part.exists()
    window.wait("the question", says("ViT-B-32-laion2b has to process"))
    window.click("Later")
    window.wait("no haste", lambda s: "Later" not in s["buttons"] and "Start" in s["buttons"])
    wait_line(window, "starter CLIP", "In use", lambda line: line["in_use"])
    window.click("Start")
    wait_line(window, CLIP, "In use", lambda line: line["in_use"])
    window.wait("no question", lambda s: "Start" not in s["buttons"] and not s["strip"])
    window.wait_text("Mixed mode", CLIP)


def test_what_can_not_be_fetched_says_why_and_what_is_stopped_stops(
    opened: Callable[[], Window], mirror: Server, tmp_path: Path
) -> None:
    mirror.misdeed = "404"
    window = opened()
    press(window, CLIP, "Download")
    line = wait_line(window, CLIP, "why not", lambda line: line["problem"])
    assert "the file is no longer there; get it elsewhere" in line["problem"]
    assert line["state"] == "Not downloaded"
    window.wait_text(line["problem"], "Download failed")
    mirror.misdeed = "no answer"
    press(window, CLIP, "Retry")
    # with the reason its row of the table goes, and what is below moves up
    wait_line(window, CLIP, "asked again", lambda line: not line["problem"])
    press(window, SAM, "Download")
    wait_line(window, SAM, "its turn", lambda line: line["doing"] == "Waiting")
    press(window, SAM, "Cancel")
    press(window, CLIP, "Cancel")
    wait_line(window, CLIP, "stopped", lambda line: line["button"] == "Download")
    wait_line(window, SAM, "stopped", lambda line: line["button"] == "Download")
    window.wait("no strip", lambda s: not s["strip"])
    assert len(mirror.asked) == 2 and not any((tmp_path / "models").iterdir())


def test_a_mode_is_forced_and_kept(opened: Callable[[], Window], tmp_path: Path) -> None:
    window = opened()
    window.wait_text("Starter mode")
    window.screen.do("mousemove", *middle(window), "click", "--repeat", 30, 5)  # to the end
    press(window, NO_SAM, "Use")
    wait_line(window, NO_SAM, "In use", lambda line: line["in_use"])
    window.wait_text("CLIP-only mode", "CLIP only")
    window.wait("the choice", lambda s: "Automatic" not in s["texts"])

    def kept() -> bool:
        settings = json.loads((tmp_path / "library" / "settings.json").read_text())
        return (settings["clip_model"], settings["sam_model"]) == (None, "none")

    wait_until("the choice in the settings", kept)
    window.screen.do("mousemove", *middle(window), "click", "--repeat", 30, 4)  # to the top
    press(window, "starter SAM", "Use")
    window.wait_text("Starter mode", "Custom")


def test_a_speed_is_measured_by_keyboard(opened: Callable[[], Window]) -> None:
    window = opened()
    window.key("Tab", "Tab", "Return")  # past the choice of a mode, to the first model
    wait_line(
        window,
        "starter CLIP",
        "its speed",
        lambda line: "images" in line["speed"] and line["measure"] == "Measure again",
    )


def test_an_empty_library_offers_larger_models_in_one_click(
    mirror: Server, start: Start, tmp_path: Path
) -> None:
    window = start(tmp_path / "new")
    window.wait("the offer", says("built-in models know colours and shapes only"))
    window.wait("its source", says("from 127.0.0.1, about"))
    window.click("Download")
    # the mirror has no SAM, and that is said; the search model comes none the less
    place = tmp_path / "models" / entry(CLIP).file_name
    window.wait("the search model", lambda s: place.exists() and len(mirror.paths) > 1)
    window.wait("no offer", lambda s: s["models_ready"] and not says("built-in models know")(s))
    assert {Path(path).name for path in mirror.paths} == {entry(n).file_name for n in (CLIP, SAM)}
