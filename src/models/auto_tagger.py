"""A vocabulary a person can edit -> tags for segments, with a confidence."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from src.errors import MediaLibraryError
from src.models.clip_encoder import ClipEncoder
from src.records import Tag
from src.regular_files import read_small

LARGEST_VOCABULARY = 1 << 20  # bytes
MOST_PHRASES = 1000  # of one condition
# What a group's condition has to hold for, of the segments of a frame.
LEAST_SHARE = 0.2


@dataclass(frozen=True)
class Entry:
    """A line of a vocabulary; without a name it is there only to be compared with."""

    name: str | None
    prompt: str
    group: int


@dataclass(frozen=True)
class Condition:
    """When the words of a group are used at all.

    Attributes:
        least: the cosine similarity that a fifth of a frame's segments have to reach.
        phrases: to any of these.
    """

    group: int
    least: float
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words that segments are tagged with."""

    entries: list[Entry]
    conditions: list[Condition] = field(default_factory=list)


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary.

    A line is `name: prompt` or a name alone; `~ prompt` is what a segment may also be without
    a tag for it; `[group]` begins words of which a segment is one; `#` begins a comment.
    `? 0.2: a {red|blue} star` lets a group be used only in frames of which a fifth of the
    segments have at least this similarity to one of the phrases.

    Raises:
        MediaLibraryError: it can't be read, holds no word, or a condition that can't be read.
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
    conditions: list[Condition] = []
    group = 0
    for line in lines:
        text = line.split("#")[0].strip()
        if text.startswith("["):
            group += 1
        elif text.startswith("?"):
            conditions.append(_condition(path, text, group))
        elif text.startswith("~"):
            entries.append(Entry(None, text[1:].strip(), group))
        elif text:
            name, _, prompt = text.partition(":")
            entries.append(Entry(name.strip(), prompt.strip() or f"a photo of {name}", group))
    if not any(entry.name for entry in entries):
        raise MediaLibraryError(f"{path}: there is no word in the vocabulary")
    return Vocabulary(entries, conditions)


def _condition(path: Path, text: str, group: int) -> Condition:
    found = re.fullmatch(r"\?\s*([01](?:\.\d+)?)\s*:\s*(\S.*)", text)
    # every second part stands in braces
    parts = re.split(r"[{}]", found[2]) if found else []
    choices = [part.split("|") if number % 2 else [part] for number, part in enumerate(parts)]
    count = math.prod(len(choice) for choice in choices)
    if found is None or len(parts) % 2 == 0 or count > MOST_PHRASES:
        raise MediaLibraryError(
            f"{path}: the line “{text[:60]}” is not a condition; write it like "
            f"“? 0.2: a {{red|blue}} star”, with at most {MOST_PHRASES:,} phrases"
        )
    phrases = tuple("".join(words) for words in itertools.product(*choices))
    return Condition(group, float(found[1]), phrases)


class AutoTagger:
    """Tags segments by CLIP's zero-shot classification (Radford et al. 2021)."""

    def __init__(self, vocabulary: Vocabulary, clip: ClipEncoder, least: float = 0.3) -> None:
        """Embed a vocabulary.

        Args:
            least: tags of a lower confidence are not given, 0 to 1.
        """
        self.entries = entries = vocabulary.entries
        self.least = least
        self.scale = clip.logit_scale
        self.prompts = clip.encode_text([entry.prompt for entry in entries])
        groups = np.array([entry.group for entry in entries])
        self.groups = {
            int(group): np.flatnonzero(groups == group) for group in dict.fromkeys(groups)
        }
        self.conditions = [
            (condition, clip.encode_text(list(condition.phrases)))
            for condition in vocabulary.conditions
        ]

    def tags(self, embeddings: np.ndarray) -> list[tuple[Tag, ...]]:
        """Tag the segments of one frame.

        Args:
            embeddings: (N, 512) float32, L2-normalised; all segments of the frame, since what
                kind of picture it is shows in many of them together.

        Returns:
            Tags of each, highest confidence first; confidence is the softmax over a group.
        """
        confidence = np.full((len(embeddings), len(self.entries)), np.nan, np.float32)
        logits = self.scale * embeddings @ self.prompts.T
        unused = self._unused_groups(embeddings)
        for number, group in self.groups.items():
            if number in unused:
                continue
            powers = np.exp(logits[:, group] - logits[:, group].max(axis=1, keepdims=True))
            confidence[:, group] = powers / powers.sum(axis=1, keepdims=True)
        tags = []
        for row in confidence:
            best = (i for i in np.argsort(-row) if row[i] >= self.least)
            named = ((self.entries[i].name, row[i]) for i in best)
            tags.append(tuple(Tag(name, float(value), "auto") for name, value in named if name))
        return tags

    def _unused_groups(self, embeddings: np.ndarray) -> set[int]:
        """List the groups whose condition a frame does not meet."""
        unused = set[int]()
        for condition, phrases in self.conditions:
            fits = (embeddings @ phrases.T).max(axis=1, initial=-1) >= condition.least
            if fits.sum() < LEAST_SHARE * len(fits):
                unused.add(condition.group)
        return unused
