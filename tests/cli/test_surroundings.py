"""Every command where something that is usually there is not: a sentence, and no traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from main import main
from src.cli.arguments import COMMANDS
from src.config import APPLICATION_FOLDER
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.small_weights import clip_b_32
from tests.warm_start import CUT_ALREADY, WarmStart

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="written for Linux")

# One process for all of them: each of its own would load torch anew.
WALK = """
import os, sys
surroundings, photo = sys.argv[1:3]
if surroundings == "nobody":
    import pwd
    def unknown(uid):
        raise KeyError(f"getpwuid(): uid not found: {uid}")
    pwd.getpwuid = unknown
from main import main
from src.cli import demo
demo.SCENES = 2
demo.draw_samples.__defaults__ = (2,)
for line in os.fsdecode(sys.stdin.buffer.read()).split("\\n"):
    words = line.split("\\t") if line else []
    print("==", words, file=sys.stderr, flush=True)
    try:
        code = main(words)
    except SystemExit as exc:
        code = exc.code
    print("-- code", code, file=sys.stderr, flush=True)
"""

EVERY = (
    [],
    ["PHOTO"],
    ["serach", "a cat"],
    ["ingest", "PHOTO"],
    ["ingest"],
    ["search", "a cat"],
    ["search", "red", "--json"],
    ["saved", "reds", "red -blue"],
    ["saved"],
    ["label"],
    ["label", "add", "reds", "blues"],
    ["label", "give", "reds", "--search", "red", "--yes", "--json"],
    ["label", "merge", "reds", "--into", "blues"],
    ["label"],
    ["label", "add", "reds", "blues"],
    ["label", "give", "reds", "--search", "red", "--yes", "--json"],
    ["label", "merge", "reds", "--into", "blues"],
    ["duplicates"],
    ["export", "OUT"],
    ["import", "OUT"],
    ["import", "--undo", "nothing"],
    ["tracks"],
    ["sample", "PHOTO", "--fps", "2"],
    ["recipes"],
    ["clip", "PHOTO", "OUT.mp4", "--from", "0", "--to", "1"],
    ["recipes", "nothing", "--remove"],
    ["stats"],
    ["verify"],
    ["verify", "--repair"],
    ["models"],
    ["models", "use", "none"],
    ["models", "use", "auto"],
    ["models", "switch"],
    ["models", "segment-again"],
    ["remove", "--missing"],
    ["remove", "PHOTO"],
    ["roots"],
    ["roots", "--move", "OUT", "OUT"],
    ["demo"],
    ["install-desktop"],
    ["uninstall-desktop"],
)
QUICK = {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
LACKS = ("no display", "read only", "nobody", "LANG=C")
LONG = ("nobody", "LANG=C")  # each starts every command once more, which takes a minute


@pytest.fixture
def photo(tmp_path: Path, scene_files: list[Path]) -> Path:
    path = tmp_path / "Füße 😀.png"
    shutil.copy(scene_files[0], path)
    return path


def test_every_command_is_walked() -> None:
    assert {words[0] for words in EVERY if words} >= set(COMMANDS)


@pytest.mark.parametrize(
    "lack",
    [pytest.param(lack, marks=pytest.mark.slow if lack in LONG else ()) for lack in LACKS],
)
def test_no_command_ends_in_a_traceback(
    lack: str, tmp_path: Path, photo: Path, warm_program: WarmStart, cut_already: Path
) -> None:
    root = tmp_path / "checkout"
    root.mkdir()
    for name in ("extracted_segments", "chroma_db", "datasets"):
        (root / name).mkdir()
        (root / name / ".gitkeep").touch()
    Settings(points_per_side=4).save(root / "settings.json")
    of_demo = root / "datasets" / "demo" / "library"
    environment = {"PATH": os.environ["PATH"], "MEDIA_LIBRARY": str(root), "HOME": str(tmp_path)}
    prefix: list[str] = []
    walked = list(EVERY)
    if lack == "read only":
        (root / "settings.json").unlink()
        if os.geteuid() == 0:
            if shutil.which("setpriv") is None:
                pytest.skip("root can't give up its rights here")
            prefix = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
        for folder in (*root.iterdir(), root):
            folder.chmod(0o555)
    else:
        of_demo.mkdir(parents=True)
        Settings(points_per_side=4).save(of_demo / "settings.json")
    if lack == "nobody":
        del environment["HOME"]
        walked += [["--library", "~/pictures", "stats"]]
    elif lack == "LANG=C":
        environment |= {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii"}
    names = {"PHOTO": str(photo), "OUT": str(tmp_path / "out")}
    lines = ["\t".join(names.get(word, word) for word in words) for words in walked]
    walk = tmp_path / "walk.py"
    walk.write_text(WALK)
    start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen
    if lack == "no display":  # of the others Python itself has to hear when it starts
        start = warm_program.popen
        environment[CUT_ALREADY] = str(cut_already)
    try:
        with start(
            [*prefix, sys.executable, str(walk), lack, str(photo)],
            env=environment | {"PYTHONPATH": str(APPLICATION_FOLDER), **QUICK},
            cwd=APPLICATION_FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            _, errors = process.communicate("\n".join(lines).encode("utf-8"), timeout=900)
    finally:
        root.chmod(0o755)
    said = errors.decode("utf-8", "replace")
    assert process.returncode == 0, said
    assert "Traceback" not in said
    codes = [line[8:] for line in said.splitlines() if line.startswith("-- code ")]
    assert len(codes) == len(walked) and set(codes) <= {"0", "1", "2"}, said
    assert "the window can't be shown" in said or lack == "read only"


def test_weights_that_lie_unused_are_named_where_a_word_is_unknown(
    tmp_path: Path,
    photo: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, library = tmp_path / "models", tmp_path / "library"
    folder.mkdir()
    shutil.copytree(APPLICATION_FOLDER / "models" / "starter", folder / "starter")
    of: Callable[[Settings], ModelManager] = lambda settings: ModelManager(  # noqa: E731
        folder, clip_model=settings.clip_model, sam_model="none"
    )
    monkeypatch.setattr(ModelManager, "of", of)
    assert main(["--library", str(library), "ingest", str(photo)]) == 0
    capsys.readouterr()
    assert main(["--library", str(library), "search", "zebra"]) == 0
    assert "`models download ViT-B-32-laion2b` and then `models switch`" in capsys.readouterr().err
    (folder / "mine.bin").write_bytes(clip_b_32())
    assert main(["--library", str(library), "search", "zebra"]) == 0
    said = capsys.readouterr().err
    assert "Nothing found" in said and "`models switch` reads the rest" in said
    assert main(["--library", str(library), "models", "use", "starter"]) == 0
    assert main(["--library", str(library), "search", "zebra"]) == 0
    assert "mine.bin is in the models folder and not used" in capsys.readouterr().err


def test_a_models_folder_that_is_not_there_is_said(
    tmp_path: Path,
    photo: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing, library = tmp_path / "no such", tmp_path / "library"
    library.mkdir()
    Settings(sam_model="none").save(library / "settings.json")
    monkeypatch.setenv("MEDIA_LIBRARY_MODELS", str(missing))
    monkeypatch.setattr("src.config.MODELS_FOLDER", missing)

    def said_by(*words: str) -> str:
        capsys.readouterr()
        assert main(["--library", str(library), *words]) == 0
        return capsys.readouterr().err

    for words in (["models"], ["models", "use", "starter"], ["ingest", str(photo)], ["stats"]):
        said = said_by(*words)
        assert said.count(f"{missing}: there is no such folder, though MEDIA_LIBRARY_MODELS") == 1
    missing.mkdir()
    assert said_by("models") == ""
