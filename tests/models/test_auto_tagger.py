from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from src.config import MODELS_FOLDER, STARTER_FOLDER
from src.errors import MediaLibraryError
from src.models.auto_tagger import AutoTagger, Entry, read_vocabulary
from src.models.clip_encoder import ClipEncoder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_vocabulary_is_read_as_it_is_written(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "words.txt"
    path.write_text(
        "[colour]\nred: something red # not blue\nblue\n\n"
        "# a comment\n~ a grey thing\n[shape]\nring: a ring\n",
        encoding=encoding,
    )
    assert read_vocabulary(path) == [
        Entry("red", "something red", 1),
        Entry("blue", "a photo of blue", 1),
        Entry(None, "a grey thing", 1),
        Entry("ring", "a ring", 2),
    ]


@pytest.mark.parametrize("path", [STARTER_FOLDER, MODELS_FOLDER])
def test_the_vocabularies_that_come_along_can_be_read(path: Path, clip: ClipEncoder) -> None:
    entries = read_vocabulary(path / "vocabulary.txt")
    names = [entry.name for entry in entries if entry.name]
    assert len(names) == len(set(names)) > 20
    if path == STARTER_FOLDER:
        for entry in entries:
            assert clip.unknown_words(entry.prompt) == ()


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
    (all_tags,) = AutoTagger(entries, clip, least=0.0).tags(embedding)
    shares = {tag.name: tag.confidence for tag in all_tags}
    assert set(shares) == {"red", "green", "circle"}  # what has no name is no tag
    assert shares["red"] + shares["green"] == pytest.approx(1, abs=1e-5)
    (sure,) = AutoTagger(entries, clip, least=0.6).tags(embedding)
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
