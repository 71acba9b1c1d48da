"""The words the starter CLIP knows, and which of them mean the same."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

COLOURS: Final = (
    "red", "orange", "yellow", "green", "cyan", "blue",
    "purple", "pink", "brown", "black", "white", "gray",
)  # fmt: skip
SHAPES: Final = (
    "circle", "square", "triangle", "star", "diamond",
    "hexagon", "ring", "cross", "heart", "crescent",
)  # fmt: skip
TEXTURES: Final = ("plain", "striped", "dotted", "checkered")
TONES: Final = ("light", "dark")
SIZES: Final = ("small", "large")
# What only a whole frame, or what lies behind everything, is called.
PLACES: Final = ("scene", "background", "many")

# One token each. The order is part of the trained weights: only ever append.
WORDS: Final = COLOURS + SHAPES + TEXTURES + TONES + SIZES + PLACES

_SYNONYMS_OF: Final = {
    "red": "reddish crimson scarlet ruby maroon burgundy vermilion",
    "orange": "orangish tangerine amber",
    "yellow": "yellowish golden gold lemon",
    "green": "greenish emerald lime olive",
    "cyan": "turquoise teal aqua",
    "blue": "bluish navy azure",
    "purple": "purplish violet lilac mauve indigo",
    "pink": "pinkish magenta rose fuchsia",
    "brown": "brownish chocolate tan",
    "black": "blackish",
    "white": "whitish",
    "gray": "grey grayish greyish silver",
    "circle": "disc disk round circular dot ball oval",
    "square": "box rectangle squarish rectangular",
    "triangle": "triangular",
    "star": "starry",
    "diamond": "rhombus lozenge",
    "hexagon": "hexagonal",
    "ring": "hoop donut doughnut",
    "cross": "plus crosses",
    "heart": "",
    "crescent": "moon sickle",
    "plain": "solid uniform unpatterned",
    "striped": "stripes stripe stripey stripy",
    "dotted": "dots spotted spots spotty polka",
    "checkered": "chequered checked checks checker chequer checkerboard checkerboarded chessboard",
    "light": "bright pale lighter brighter",
    "dark": "deep dim darker",
    "small": "little tiny smaller mini",
    "large": "big huge giant larger bigger",
    "scene": "landscape view frame",
    "background": "backdrop behind",
    "many": "several multiple lots various",
}

# Ordinary words of a phrase that say nothing about a picture: known, but no token.
FILLERS: Final = frozenset(
    (
        "a an the of in on at to with and is are it its that this these those there some any one "
        "for me show find all my i see only very coloured colored color colour tone toned shade "
        "photo photograph picture image drawing crop pic texture textured pattern patterned "
        "shape shaped shapes something thing things object objects area region patch surface "
        "anything stuff kind like looking full"
    ).split()
)


def _canonical_words() -> dict[str, str]:
    canonical = {word: word for word in WORDS}
    for word, synonyms in _SYNONYMS_OF.items():
        canonical.update((synonym, word) for synonym in synonyms.split())
    for word in (*SHAPES, *PLACES, "disc", "disk", "ball", "box", "rectangle", "hoop", "moon"):
        plural = word + ("es" if word.endswith(("s", "x")) else "s")
        canonical.setdefault(plural, canonical[word])
    return canonical


CANONICAL: Final = MappingProxyType(_canonical_words())
"""Every word with a meaning, in lower case, and the word of WORDS that stands for it."""
