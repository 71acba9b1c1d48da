"""XML that may come from anybody: read element by element, with no entities of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

LARGEST = 1 << 30
_DEEPEST = 50
_BLOCK = 1 << 16


def read_elements(stream: IO[bytes], *tags: str) -> Iterator[Element]:
    """Give the elements of some names, each once all of it is read; the others are dropped.

    Raises:
        ValueError: it is no XML, is in an encoding that nobody knows, declares a document type,
            is too deep, or too large.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    found: list[Element] = []
    builder: TreeBuilder | None = None
    depth = inside = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal builder, depth, inside
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        if builder is None and tag in tags:
            builder, inside = TreeBuilder(), depth
        if builder is not None:
            builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal builder, depth
        if builder is not None:
            builder.end(tag)
            if depth == inside:
                found.append(builder.close())
                builder = None
        depth -= 1

    def text(data: str) -> None:
        if builder is not None:
            builder.data(data)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _no_doctype
    size = 0
    try:
        while block := stream.read(_BLOCK):
            size += len(block)
            if size > LARGEST:
                raise ValueError("it is too large")
            parser.Parse(block, False)
            yield from found
            found.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as exc:
        raise ValueError(f"it is not well-formed XML ({exc})") from exc
    except LookupError as exc:
        raise ValueError(f"it can't be read ({exc}); save it in UTF-8") from exc
    yield from found


def _no_doctype(*_: object) -> NoReturn:
    raise ValueError("it declares a document type, which no dataset needs")
