"""Texts and names as they stand in XML."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

# What XML 1.0 has no way to say.
_NO_CHARACTER = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def xml_text(value: object) -> str:
    """Write a text between tags."""
    return escape(_NO_CHARACTER.sub("\ufffd", str(value)))


def xml_attributes(**values: object) -> str:
    """Write attributes, with a space before each."""
    return "".join(
        f" {name}={quoteattr(_NO_CHARACTER.sub(chr(0xFFFD), str(value)))}"
        for name, value in values.items()
    )
