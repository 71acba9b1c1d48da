"""A vocabulary a person can edit -> tags for segments, with a confidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.errors import MediaLibraryError
from src.models.clip_encoder import ClipEncoder
from src.records import Tag
from src.regular_files import read_small

LARGEST_VOCABULARY = 1 << 20  # bytes


@dataclass(frozen=True)
class Entry:
    """A line of a vocabulary; without a name it is there only to be compared with."""

    name: str | None
    prompt: str
    group: int


def read_vocabulary(path: Path) -> list[Entry]:
    """Read a vocabulary.

    A line is `name: prompt` or a name alone; `~ prompt` is what a segment may also be without
    a tag for it; `[group]` begins words of which a segment is one; `#` begins a comment.

    Raises:
        MediaLibraryError: it can't be read, or holds no word.
    """
    try:
        lines = read_small(path, LARGEST_VOCABULARY).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no UTF-8"
        raise MediaLibraryError(
            f"{path}: the vocabulary can't be read ({reason}); fix the file, or remove "
            "`vocabulary` from the settings"
        ) from exc
    entries: list[Entry] = []
    group = 0
    for line in lines:
        text = line.split("#")[0].strip()
        if text.startswith("["):
            group += 1
        elif text.startswith("~"):
            entries.append(Entry(None, text[1:].strip(), group))
        elif text:
            name, _, prompt = text.partition(":")
            entries.append(Entry(name.strip(), prompt.strip() or f"a photo of {name}", group))
    if not any(entry.name for entry in entries):
        raise MediaLibraryError(f"{path}: there is no word in the vocabulary")
    return entries


class AutoTagger:
    """Tags segments by CLIP's zero-shot classification (Radford et al. 2021)."""

    def __init__(self, entries: list[Entry], clip: ClipEncoder, least: float = 0.3) -> None:
        """Embed a vocabulary.

        Args:
            least: tags of a lower confidence are not given, 0 to 1.
        """
        self.entries = entries
        self.least = least
        self.scale = clip.logit_scale
        self.prompts = clip.encode_text([entry.prompt for entry in entries])
        groups = np.array([entry.group for entry in entries])
        self.groups = [np.flatnonzero(groups == group) for group in dict.fromkeys(groups)]

    def tags(self, embeddings: np.ndarray) -> list[tuple[Tag, ...]]:
        """Tag segments.

        Args:
            embeddings: (N, 512) float32, L2-normalised.

        Returns:
            For each its tags, surest first; confidence is the softmax over the tag's group.
        """
        confidence = np.empty((len(embeddings), len(self.entries)), np.float32)
        logits = self.scale * embeddings @ self.prompts.T
        for group in self.groups:
            powers = np.exp(logits[:, group] - logits[:, group].max(axis=1, keepdims=True))
            confidence[:, group] = powers / powers.sum(axis=1, keepdims=True)
        tags = []
        for row in confidence:
            best = (i for i in np.argsort(-row) if row[i] >= self.least)
            named = ((self.entries[i].name, row[i]) for i in best)
            tags.append(tuple(Tag(name, float(value), "auto") for name, value in named if name))
        return tags
