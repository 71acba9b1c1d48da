"""Names of files and folders in a dataset, safe on every system."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from src.database.text_normalization import casefold_key

RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[\d¹²³]", re.IGNORECASE)
LONGEST_BYTES = 200
# Letters and marks that nobody sees: a name may not be made of them, nor differ by them, which
# some file systems don't take for a difference.
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def folder_names(tags: set[str]) -> dict[str, str]:
    """Give each tag a folder name that is safe on every system, and no two the same."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for tag in sorted(tags):
        base = safe_name(tag, "tag")
        name, number = base, 2
        while casefold_key(name) in taken:  # for some systems those are the same
            name, number = f"{base}_{number}", number + 1
        taken.add(casefold_key(name))
        names[tag] = name
    return names


def safe_name(text: str, otherwise: str) -> str:
    """Make a text a name that is safe on every system; `otherwise` where nothing is left of it."""
    seen = UNSEEN.sub("", unicodedata.normalize("NFC", text))
    base = re.sub("\0+", "_", "".join(char if _is_safe(char) else "\0" for char in seen))[:80]
    # cut by bytes as well: a file system counts those
    base = base.encode()[:LONGEST_BYTES].decode(errors="ignore")
    # a mark belongs to what it stands on, so none comes first
    first = next((i for i, char in enumerate(base) if _is_letter(char)), len(base))
    base = base[first:].rstrip(" _-") or otherwise
    return f"{base}_" if RESERVED.fullmatch(base) else base


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN"


def _is_safe(char: str) -> bool:
    """Return whether a character may stand in a name: letters, numbers, and marks on them."""
    return char in "_- " or _is_letter(char) or unicodedata.category(char)[0] == "M"


def crop_stem(segment_id: str) -> str:
    """Name a crop by its segment's id, unless somebody else's library has an odd one."""
    if not re.fullmatch(r"\w[\w.\-]{,80}", segment_id, re.ASCII):
        segment_id = hashlib.sha1(segment_id.encode()).hexdigest()
    return segment_id
