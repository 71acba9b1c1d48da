from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from src.config import MODELS_FOLDER, STARTER_FOLDER
from src.errors import MediaLibraryError
from src.models.auto_tagger import AutoTagger, Condition, Entry, Vocabulary, read_vocabulary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.starter.vocabulary import SHAPES, TEXTURES
from src.processing.segment_extractor import SegmentExtractor
from src.records import Frame
from src.starter.scenes import draw_scene


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_vocabulary_is_read_as_it_is_written(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "words.txt"
    path.write_text(
        "[colour]\nred: something red # not blue\nblue\n\n"
        "# a comment\n~ a grey thing\n[shape]\nring: a ring\n",
        encoding=encoding,
    )
    assert read_vocabulary(path).entries == [
        Entry("red", "something red", 1),
        Entry("blue", "a photo of blue", 1),
        Entry(None, "a grey thing", 1),
        Entry("ring", "a ring", 2),
    ]


@pytest.mark.parametrize("path", [STARTER_FOLDER, MODELS_FOLDER])
def test_the_vocabularies_that_come_along_can_be_read(path: Path, clip: ClipEncoder) -> None:
    vocabulary = read_vocabulary(path / "vocabulary.txt")
    entries = vocabulary.entries
    names = [entry.name for entry in entries if entry.name]
    assert len(names) == len(set(names)) > 20
    if path == STARTER_FOLDER:
        for entry in entries:
            assert clip.unknown_words(entry.prompt) == ()
        assert [len(condition.phrases) for condition in vocabulary.conditions] == [40, 40]
        for phrase in vocabulary.conditions[0].phrases:
            assert clip.unknown_words(phrase) == ()


@pytest.mark.parametrize("content", [None, b"", b"# nothing\n", b"\xff\xfe\xfa"])
def test_a_vocabulary_without_words_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaLibraryError, match=r"words\.txt"):
        read_vocabulary(path)


def test_confidence_is_shared_out_within_a_group(clip: ClipEncoder) -> None:
    entries = [
        Entry("red", "something red", 1),
        Entry("green", "something green", 1),
        Entry("circle", "a circle", 2),
        Entry(None, "a square", 2),
    ]
    image = np.full((80, 80, 3), 128, np.uint8)
    image[10:70, 10:70] = (220, 20, 30)
    embedding = clip.encode_image([image])
    (all_tags,) = AutoTagger(Vocabulary(entries), clip, least=0.0).tags(embedding)
    shares = {tag.name: tag.confidence for tag in all_tags}
    assert set(shares) == {"red", "green", "circle"}  # what has no name is no tag
    assert shares["red"] + shares["green"] == pytest.approx(1, abs=1e-5)
    (sure,) = AutoTagger(Vocabulary(entries), clip, least=0.6).tags(embedding)
    names = {tag.name for tag in sure}
    assert "red" in names and "green" not in names
    assert all(tag.source == "auto" for tag in sure)


@pytest.mark.skipif(os.name != "posix", reason="has pipes and devices")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "too large"])
def test_a_vocabulary_that_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "vocabulary.txt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"word\n" * 1_000_000)
    with pytest.raises(MediaLibraryError, match=r"vocabulary\.txt"):
        read_vocabulary(path)


def test_a_condition_is_read_with_all_its_phrases(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("[colour]\nred\n[shape]\n? 0.25: a {red|blue} {ring|star}\nring\n")
    assert read_vocabulary(path).conditions == [
        Condition(2, 0.25, ("a red ring", "a red star", "a blue ring", "a blue star"))
    ]


@pytest.mark.parametrize(
    "line", ["? a ring", "? 0.2", "? 7: a ring", "? 0.2: a {ring", "? 0.2: " + "{a|b|c|d}" * 6]
)
def test_a_condition_that_is_none_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "words.txt"
    path.write_text(f"red\n{line}\n")
    with pytest.raises(MediaLibraryError, match="write it like"):
        read_vocabulary(path)


def test_a_group_is_used_where_a_fifth_of_the_segments_meet_its_condition(
    clip: ClipEncoder,
) -> None:
    entries = [Entry("red", "something red", 1), Entry("circle", "a circle", 2)]
    circle, nothing = clip.encode_text(["a circle", "something red"])
    tagger = AutoTagger(Vocabulary(entries, [Condition(2, 0.9, ("a circle",))]), clip, least=0.0)
    for others, given in ((4, True), (5, False)):
        found = tagger.tags(np.stack([circle, *[nothing] * others]))
        names = [{tag.name for tag in tags} for tags in found]
        assert names == [{"red", "circle"} if given else {"red"}] * (others + 1)
    assert tagger.tags(np.empty((0, 512), np.float32)) == []


def test_shapes_and_textures_are_tagged_in_drawings_and_not_in_photos(
    clip: ClipEncoder, mask_generator: MaskGenerator
) -> None:
    """Soft light with a camera's noise stands for a photo."""
    vocabulary = read_vocabulary(STARTER_FOLDER / "vocabulary.txt")
    careful = AutoTagger(vocabulary, clip)
    careless = AutoTagger(Vocabulary(vocabulary.entries), clip)
    drawing = draw_scene(np.random.default_rng(1), (320, 240), count=6, calm=True).image_rgb
    rng = np.random.default_rng(3)
    light = cv2.resize(rng.random((6, 8, 3)).astype(np.float32), (320, 240))
    photo = (255 * (light + rng.normal(0, 0.1, light.shape))).clip(0, 255).astype(np.uint8)

    def words(tagger: AutoTagger, vectors: np.ndarray) -> set[str]:
        names = {tag.name for tags in tagger.tags(vectors) for tag in tags}
        return names & {*SHAPES, *TEXTURES}

    for image, stay in ((drawing, True), (photo, False)):
        segments = list(SegmentExtractor().segments(Frame(image), mask_generator))
        vectors = clip.encode_image([segment.crop_rgb for segment in segments])
        guessed = words(careless, vectors)
        assert guessed
        assert words(careful, vectors) == (guessed if stay else set())
