"""A word-level tokenizer for the starter CLIP's few dozen words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch

from src.models.starter.vocabulary import CANONICAL, FILLERS, WORDS

# A start, an end and eight words with a meaning: more than a full description needs.
CONTEXT_LENGTH = 10

_PAD = 0
_START = 1
_FIRST_WORD = 2
_ID_OF_WORD = {word: _FIRST_WORD + index for index, word in enumerate(WORDS)}
# open_clip pools a text at its highest id, so the end must be above every word. The gap
# leaves space to append words without moving it.
_END = 63
VOCABULARY_SIZE = _END + 1

_WORD_PATTERN = re.compile(r"[^\W_]+")
# A dot is a small circle, but not here.
_POLKA_DOTS = re.compile(r"\bpolka[\s-]*dot(s|ted)?\b")


def split_words(text: str) -> list[str]:
    """Split a text into lower-case words, without punctuation; 'polka-dot' is two words."""
    return _WORD_PATTERN.findall(_POLKA_DOTS.sub("dotted", text.lower()))


class StarterTokenizer:
    """Turns texts into token ids, called like open_clip's own tokenizers.

    Words of the same meaning share an id, so a synonym needs no training. Fillers and
    words outside the vocabulary are dropped: the rest of the phrase still searches, and
    `unknown_words` says what was lost.
    """

    context_length = CONTEXT_LENGTH
    vocab_size = VOCABULARY_SIZE

    def __call__(
        self, texts: str | Sequence[str], context_length: int | None = None
    ) -> torch.Tensor:
        """Tokenize texts.

        Args:
            texts: one text or N.
            context_length: tokens a row, 10 by default.

        Returns:
            (N, context_length) int64; zeros after the end token. A text that is too
            long loses its last words.
        """
        if isinstance(texts, str):
            texts = [texts]
        length = context_length or self.context_length
        ids = torch.full((len(texts), length), _PAD, dtype=torch.long)
        for row, text in enumerate(texts):
            known = [CANONICAL[word] for word in split_words(text) if word in CANONICAL]
            tokens = [_START, *(_ID_OF_WORD[word] for word in known[: length - 2]), _END]
            ids[row, : len(tokens)] = torch.tensor(tokens)
        return ids

    def known_words(self, text: str) -> tuple[str, ...]:
        """Return the words of a text from which the starter CLIP makes an embedding.

        Args:
            text: any text.

        Returns:
            Lower-case words in order of appearance, without fillers, punctuation or duplicates.
        """
        return tuple(word for word in dict.fromkeys(split_words(text)) if word in CANONICAL)

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """Return the words of a text that mean nothing to the starter CLIP.

        Args:
            text: any text.

        Returns:
            Lower-case words in order of appearance, without punctuation or duplicates.
        """
        words = dict.fromkeys(split_words(text))
        return tuple(word for word in words if word not in CANONICAL and word not in FILLERS)
