"""The command line as scripts speak to it."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from main import main
from src.cli.arguments import parse
from src.cli.demo import QUERIES
from src.config import STARTER_FOLDER, LibraryPaths
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.processing.video_processor import find_ffmpeg
from src.settings import Settings
from tests.search.new_condition import register_left_of
from tests.two_clips import NEW, OLD, TwoClips

HIT_KEYS = {
    "segment_id",
    "parent_id",
    "kind",
    "score",
    "strength",
    "alike",
    "predicted_iou",
    "path",
    "missing",
    "frame_index",
    "timestamp_s",
    "bbox_xywh",
    "crop_path",
    "tags",
}


class Shell:
    """Runs commands on one library in this process."""

    def __init__(self, library: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.library = library
        self.capsys = capsys

    def __call__(self, *words: object, code: int = 0) -> tuple[str, str]:
        self.capsys.readouterr()
        assert main(["--library", str(self.library), *map(str, words)]) == code
        said = self.capsys.readouterr()
        return said.out, said.err

    def objects(self, *words: object) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*words)[0].splitlines()]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, scene_files: list[Path]) -> Path:
    folder = tmp_path_factory.mktemp("library")
    Settings(points_per_side=8).save(folder / "settings.json")
    assert main(["--library", str(folder), "ingest", *map(str, scene_files)]) == 0
    return folder


@pytest.fixture
def shell(filled: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(filled, capsys)


def test_ingest_says_what_it_does_as_json(shell: Shell, scene_files: list[Path]) -> None:
    events = shell.objects("ingest", "--json", scene_files[0])
    assert [event["event"] for event in events] == [
        "JobStarted",
        "FileStarted",
        "FileKnown",
        "JobDone",
    ]
    assert events[2]["path"] == str(scene_files[0])


def test_search_by_text_gives_ranked_hits(shell: Shell) -> None:
    hits = shell.objects("search", "something blue", "--top", 3, "--json")
    assert len(hits) == 3 and all(set(hit) == HIT_KEYS for hit in hits)
    scores = [hit["score"] for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert Path(hits[0]["crop_path"]).is_file()
    out, _ = shell("search", "something blue", "--top", 3)
    assert sum(not row.startswith("Below this line") for row in out.splitlines()) == 3


def test_what_is_likely_chance_stands_below_a_line(shell: Shell) -> None:
    below = "Below this line a match is likely chance"
    out, err = shell("search", "something blue", "--top", 999, "--all")
    rows = out.splitlines()
    every = shell.objects("search", "something blue", "--top", 999, "--all", "--json")
    strong = sum(hit["strength"] >= 0.5 for hit in every)
    assert 0 < strong < len(every) == len(rows) - 1 and rows[strong] == below
    assert f"{strong} strong, {len(every) - strong} weaker." in err
    out, err = shell("search", "a striped pink crescent", "--top", 1)
    assert out.startswith(below) and "0 strong, " in err


def test_each_thing_is_listed_once_unless_all_are_asked_for(shell: Shell) -> None:
    cards = shell.objects("search", "red", "--top", 999, "--json")
    every = shell.objects("search", "red", "--top", 999, "--json", "--all")
    assert not any(hit["alike"] for hit in every) and len(cards) < len(every)
    listed = [each for card in cards for each in (card["segment_id"], *card["alike"])]
    assert sorted(listed) == sorted(hit["segment_id"] for hit in every)
    best = [hit["segment_id"] for hit in every]
    assert [card["segment_id"] for card in cards] == sorted(
        (card["segment_id"] for card in cards), key=best.index
    )
    out, _ = shell("search", "red", "--top", 999)
    assert out.count(" alike") == sum(bool(card["alike"]) for card in cards)


def test_search_by_image_finds_the_image(shell: Shell, scene_files: list[Path]) -> None:
    (hit,) = shell.objects("search", "--image", scene_files[3], "--top", 1, "--json")
    assert (hit["path"], hit["kind"]) == (str(scene_files[3]), "frame")
    both = shell.objects("search", "red", "--image", scene_files[3], "--top", 1, "--json")
    assert len(both) == 1


def test_worse_masks_can_be_left_out(shell: Shell, tmp_path: Path) -> None:
    every = shell.objects("search", "red", "--top", 999, "--json", "--all")
    qualities = sorted(hit["predicted_iou"] for hit in every if hit["kind"] == "object")
    best = shell.objects(
        "search", "red", "--top", 999, "--json", "--all", "--min-quality", qualities[-1]
    )
    whole = [hit["predicted_iou"] for hit in best if hit["kind"] == "frame"]
    assert whole == [None] * 4 and len(best) == 5 < len(every)
    count = [
        int(shell("export", tmp_path / name, *words)[0].split()[0])
        for name, words in (("all", ()), ("best", ("--min-quality", qualities[-1])))
    ]
    assert count[1] < count[0]


def test_a_condition_of_somebodys_is_understood(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("search", "red", "--top", 999, "--json", "--where", "kind:object left_of:160")
    assert "left_of" in shell(*words, code=1)[1]
    register_left_of(tmp_path / "another package", monkeypatch)
    hits = shell.objects(*words)
    assert hits and all(x + w <= 160 for x, _, w, _ in (hit["bbox_xywh"] for hit in hits))


def test_words_not_known_are_said(shell: Shell) -> None:
    out, err = shell("search", "a red truck", "--top", 1)
    assert out and 'does not know "truck"' in err
    out, err = shell("search", "truck")
    assert not out and "Nothing found." in err


@pytest.mark.parametrize("text", ["🐱", "?!", "…", "the picture"])
def test_a_query_without_a_word_to_search_for_is_said(shell: Shell, text: str) -> None:
    out, err = shell("search", text, code=1)
    assert not out and f'there is no word in "{text}" that can be searched for' in err
    assert len(err.splitlines()) == 1 and not shell("search", text, "--json", code=1)[0]


def test_a_text_without_a_word_leaves_the_image_alone_and_says_so(
    shell: Shell, scene_files: list[Path]
) -> None:
    out, err = shell("search", "🐱", "--image", scene_files[3], "--top", 1)
    assert scene_files[3].name in out and "the image alone was searched for" in err


def test_wide_letters_are_letters(shell: Shell) -> None:
    wide, plain = (shell.objects("search", text, "--json") for text in ("ＲＥＤ", "red"))
    assert wide == plain and wide


def test_a_video_is_searched_for_by_its_first_frame(
    shell: Shell, scene_files: list[Path], tmp_path: Path
) -> None:
    """The film begins with the picture that its first frame is, and goes on with another."""
    film = tmp_path / "film.mkv"
    first, then = scene_files[3], scene_files[0]
    command = [str(find_ffmpeg()), "-v", "error"]
    for file in (first, then):
        command += ["-loop", "1", "-framerate", "5", "-t", "2", "-i", f"file:{file}"]
    command += ["-filter_complex", "concat", "-c:v", "ffv1", f"file:{film}"]
    subprocess.run(command, check=True, timeout=60)
    out, err = shell("search", "--image", film, "--top", 1, "--json")
    assert json.loads(out)["path"] == str(first)
    assert "is a video; its first frame was searched for" in err


@pytest.mark.parametrize("command", ["search", "ingest", "export"])
def test_usage_says_what_ends_the_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([command, "--help"])
    assert capsys.readouterr().out.split("\n\n")[0].count("[--]") == 1
    assert parse(["search", "--", "--red"]).text == "--red"


def test_stats_count_what_is_there(shell: Shell) -> None:
    (stats,) = shell.objects("stats", "--json")
    assert (stats["media_files"], stats["images"], stats["videos"], stats["frames"]) == (4, 4, 0, 4)
    assert stats["segments"] > 4 and stats["tags"] > 0 and stats["bytes"] > 0
    assert (stats["clip_model"], stats["sam_model"]) == ("starter CLIP", "starter SAM")
    assert "4 images" in shell("stats")[0]


def test_verify_finds_the_library_sound(shell: Shell) -> None:
    assert shell("verify")[0] == "the library is sound\n"


@pytest.mark.parametrize(
    "words",
    [
        "verify",
        "verify --repair",
        "stats",
        "search red",
        "export dataset",
        "models switch",
        "models segment-again",
    ],
)
def test_where_there_is_no_library_only_adding_makes_one(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path / "libary", capsys)
    out, err = shell(*words.split(), code=1)
    assert not out and err.count("\n") == 1
    assert err.startswith("error: ") and "there is no library in this folder" in err
    assert not (tmp_path / "libary").exists()


def test_export_writes_crops_and_labels(shell: Shell, tmp_path: Path) -> None:
    out, _ = shell("export", tmp_path / "dataset")
    assert str(tmp_path / "dataset") in out
    with (tmp_path / "dataset" / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert rows
    for row in rows:
        Image.open(tmp_path / "dataset" / row["file"]).verify()
    _, err = shell("export", tmp_path / "dataset", code=1)
    assert err.startswith("error: ") and err.count("\n") == 1


def test_models_are_chosen(
    tmp_path: Path, scene_files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path / "library", capsys)
    settings = tmp_path / "library" / "settings.json"
    settings.parent.mkdir()
    assert "none" in shell("models", "use", "none", "starter CLIP")[0]
    chosen = Settings.load(settings)
    assert (chosen.clip_model, chosen.sam_model) == ("starter", "none")
    in_use = [row["name"] for row in shell.objects("models", "--json") if row["in_use"]]
    assert in_use == ["starter CLIP"]
    shell("ingest", scene_files[0])
    assert "whole frames only" in shell("stats")[0]
    _, err = shell("models", "use", "vit_b", code=1)
    assert "models download vit_b" in err
    _, err = shell("models", "use", "starter", "vit_x", code=1)
    assert 'no model "vit_x"' in err and Settings.load(settings) == chosen
    shell("models", "use", "starter")
    assert Settings.load(settings).sam_model == "starter"
    shell("models", "use", "auto")
    assert Settings.load(settings) == Settings()


def test_a_switch_is_said_and_done(
    tmp_path: Path,
    scene_files: list[Path],
    clip: ClipEncoder,
    mask_generator: MaskGenerator,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def manager(settings: Settings) -> TwoClips:
        models = TwoClips(clip, mask_generator)
        models.choices["clip"] = settings.clip_model or OLD
        return models

    monkeypatch.setattr(ModelManager, "of", manager)
    shell = Shell(tmp_path / "library", capsys)
    shell("ingest", scene_files[0])
    Settings(clip_model=NEW).save(tmp_path / "library" / "settings.json")
    (stats,) = shell.objects("stats", "--json")
    assert stats["clip_model"] == "starter CLIP"
    assert stats["next_clip"]["done"] == 0 and stats["next_clip"]["total"] == stats["segments"]
    so_far = f"0 of {stats['segments']} segments so far; `models switch` reads the rest"
    assert so_far in shell("stats")[0]
    assert so_far in shell("models")[1]
    assert shell("models", "switch")[0] == "other CLIP answers searches now\n"
    (stats,) = shell.objects("stats", "--json")
    assert (stats["clip_model"], stats["next_clip"]) == ("other CLIP", None)
    assert len(shell.objects("search", "something red", "--top", 3, "--json")) == 3


def test_frames_are_segmented_again(
    tmp_path: Path, scene_files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path / "library", capsys)
    settings = tmp_path / "library" / "settings.json"
    settings.parent.mkdir()
    Settings(points_per_side=4, sam_model="none").save(settings)
    _, err = shell("ingest", scene_files[0])
    assert "1 file: 1 frame and 1 segment added, 0 files failed" in err
    (frame,) = shell.objects("search", "red", "--json")
    _, err = shell("models", "segment-again", code=1)
    assert "there is no segmentation model" in err
    Settings(points_per_side=4).save(settings)
    _, err = shell("models", "segment-again")
    assert "1 frame segmented again: " in err and "0 files failed" in err
    kinds = {hit["kind"] for hit in shell.objects("search", "red", "--json")}
    assert (frame["kind"], kinds) == ("frame", {"frame", "object"})
    assert "0 frames segmented again" in shell("models", "segment-again")[1]


def test_models_are_listed(shell: Shell) -> None:
    out, _ = shell("models")
    assert "starter CLIP" in out and "starter SAM" in out and "bundled" in out
    assert "vit_h" in out and "Apache-2.0" in out and "can be downloaded" in out
    rows = {row["name"]: row for row in shell.objects("models", "--json")}
    assert rows["vit_b"]["bytes"] == 375_042_383 and rows["starter SAM"]["path"]


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="a Mac has it")
def test_a_device_that_is_not_here_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    Settings(device="mps").save(library / "settings.json")
    assert "as the device in the settings is not available" in Shell(library, capsys)("models")[0]


def test_a_download_of_no_known_model_is_refused(shell: Shell) -> None:
    _, err = shell("models", "download", "vit_x", code=1)
    assert err.startswith('error: there is no model "vit_x"') and "vit_b" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["search", " "], "the search is empty"),
        (["search", "--image", "missing.jpg"], "there is no such file"),
        (["search", "caf\udce9"], "no character"),
        (["search", "caf\udce9", "--image", "missing.jpg"], "no character"),
        (["search", "red", "--top", "0"], "ask for 1 or more"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(
    shell: Shell, words: list[str], sentence: str
) -> None:
    out, err = shell(*words, code=1)
    assert not out and err.startswith("error: ") and err.count("\n") == 1 and sentence in err


@pytest.mark.parametrize(
    "words",
    [
        ["search"],
        ["export"],
        ["ingest", "--fast"],
        ["search", "--top", "x"],
        ["export", "x", "--min-quality", "nan"],
        ["serach", "a cat"],
        ["--library", "somewhere", "statss", "--json"],
    ],
)
def test_wrong_usage_is_exit_code_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["serach", "a cat"], "search"), (["Ingest", "x.jpg"], "ingest"), (["exprt"], "export")],
)
def test_a_mistyped_command_is_taken_for_no_path(
    words: list[str], meant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--library", str(tmp_path / "library"), *words])
    assert ended.value.code == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err
    assert not (tmp_path / "library").exists()


def test_a_path_that_is_spelled_like_a_command_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "serach").mkdir()
    assert parse(["serach"]).paths == [Path("serach")]


def test_the_window_refuses_paths_that_lead_to_nothing(
    tmp_path: Path, scene_files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path / "library", capsys)
    _, err = shell(scene_files[0], tmp_path / "photo.jpg", code=2)
    assert err.count("\n") == 1 and f"{tmp_path / 'photo.jpg'}: there is no such file" in err
    assert not (tmp_path / "library").exists()


def test_ingest_says_what_it_lacks(
    tmp_path: Path, scene_files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path / "library", capsys)
    missing = tmp_path / "vanished.jpg"
    _, err = shell("ingest", code=2)
    assert err.count("\n") == 1 and "name the files and folders to add" in err
    _, err = shell("ingest", missing, code=1)
    assert err.count("\n") == 1 and f"{missing}: there is no such file or folder" in err
    assert not (tmp_path / "library").exists()
    (tmp_path / "library").mkdir()
    Settings(points_per_side=4, sam_model="none").save(tmp_path / "library" / "settings.json")
    _, err = shell("ingest", missing, scene_files[0])
    assert f"failed  {missing}: there is no such file or folder" in err
    assert "1 segment added, 1 file failed" in err
    with MediaLibrary(LibraryPaths(tmp_path / "library")) as library:
        assert [media.path for media in library.metadata.all_media()] == [scene_files[0]]
    assert "1 file failed" in shell("ingest", missing, code=1)[1]
    assert "there is no unfinished work" in shell("ingest", code=2)[1]
    with MediaLibrary(LibraryPaths(tmp_path / "library")) as library:
        library.metadata.add_media(scene_files[1], "image", 0, 0)  # as a job does at its start
    assert "1 file: 1 frame and 1 segment added" in shell("ingest")[1]


def test_verify_says_by_its_exit_code_that_problems_are_left(
    tmp_path: Path, scene_files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path / "library", capsys)
    (tmp_path / "library").mkdir()
    Settings(points_per_side=4, sam_model="none").save(tmp_path / "library" / "settings.json")
    shell("ingest", scene_files[0])
    (crop,) = (tmp_path / "library" / "extracted_segments").rglob("*.jpg")
    crop.unlink()
    assert "1 problem left" in shell("verify", code=1)[0]
    shell("verify", "--repair")
    assert shell("verify")[0] == "the library is sound\n"


def test_models_that_can_not_be_used_are_not_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, library = tmp_path / "models", tmp_path / "library"
    shutil.copytree(STARTER_FOLDER, folder / "starter")
    (folder / "mine.pt").write_bytes(b"no weights")
    (folder / "sam_vit_b_01ec64.pth").write_bytes(b"no weights")
    monkeypatch.setattr(
        ModelManager, "of", lambda settings: ModelManager(folder, clip_model=settings.clip_model)
    )
    shell = Shell(library, capsys)
    _, err = shell("models", "use", "starter", code=1)
    assert "there is no such folder" in err and not library.exists()
    library.mkdir()
    for name in ("mine.pt", "vit_b"):
        _, err = shell("models", "use", name, code=1)
        assert err.startswith("error: ") and err.count("\n") == 1 and str(folder) in err
    assert not (library / "settings.json").exists()
    shell("models", "use", "starter")


@pytest.mark.parametrize("words", [[], ["a photo.jpg", "b.mp4"]])
def test_paths_alone_are_for_the_window(words: list[str]) -> None:
    arguments = parse(["--library", "/somewhere", *words])
    assert arguments.command is None
    assert arguments.paths == [Path(word) for word in words]
    assert arguments.library == Path("/somewhere")


def test_a_library_that_is_open_elsewhere_is_refused(shell: Shell) -> None:
    from src.database.lock import LibraryLock

    lock = LibraryLock(shell.library / "library.lock")
    try:
        _, err = shell("verify", code=1)
        assert "open in another process" in err
    finally:
        lock.release()


def test_the_demo_draws_finds_and_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.cli.demo.SCENES", 2)
    monkeypatch.setattr("src.cli.demo.draw_samples.__defaults__", (2,))
    of_demo = tmp_path / "datasets" / "demo" / "library"
    of_demo.mkdir(parents=True)
    Settings(points_per_side=8).save(of_demo / "settings.json")
    shell = Shell(tmp_path, capsys)
    out, _ = shell("demo")
    assert all(query in out for query in QUERIES)
    with Image.open(tmp_path / "datasets" / "demo" / "hits.png") as sheet:
        assert sheet.width > 900 and sheet.height > 600
