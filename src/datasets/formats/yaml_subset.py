"""The YAML that data.yaml of YOLO is written in: names with texts, lists and numbered texts.

Anchors, tags and what else YAML knows is not read: nothing in it is run or expanded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

Value = str | list[str] | dict[str, str]

_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'"
# a key, and what stands behind its colon
_PAIR = re.compile(rf"((?:{_QUOTED})\s*|[^\s'\"\[\]{{}},#&*!|>%@`][^:#]*):(?:\s+(.*)|)$", re.DOTALL)
_TOKEN = re.compile(
    rf"\s*({_QUOTED}|[\[\]{{}},]|:(?=[\s,\]}}]|$)|(?:[^\s\[\]{{}},:'\"]|:(?=\S))[^,\]}}:\n]*)"
)
_NO_MORE_TOKENS = re.compile(r"\s*(?:#|\Z)")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_WORD = re.compile(rf"({_QUOTED})\s*(?:#.*)?$", re.DOTALL)
_ESCAPED = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "e": "\x1b"}
_ESCAPES |= {"f": "\f", "v": "\v", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}


def quoted(text: str) -> str:
    """Write a text so that every reader of YAML gives it back."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escape(char) for char in plain)


def read_yaml(text: str) -> dict[str, Value]:
    """Read the names at the left edge, each with a text, a list or a mapping of texts.

    Raises:
        ValueError: it is more than that.
    """
    read: dict[str, Value] = {}
    key, block, brackets = "", list[str](), 0
    for line in [*text.splitlines(), "end:"]:
        if not _COMMENT.sub("", line).strip() or line.startswith(("---", "...", "%")):
            continue
        if line[0] in " \t]}" or line.startswith("- ") or line == "-" or brackets > 0:
            block.append(line)
            brackets += _brackets(block, line)
            continue
        if key:
            read[key] = _value(block)
        found = _PAIR.match(line)
        if found is None:
            raise ValueError(f"{line[:40]!r} is not a line of a data.yaml")
        key, rest = _scalar(found[1]), found[2]
        block = [rest] if rest and _COMMENT.sub("", f" {rest}").strip() else []
        brackets = _brackets(block, rest) if block else 0
    return read


def _brackets(block: list[str], line: str) -> int:
    """Count the brackets that a line of a list or mapping opens, less those that it closes."""
    if not block[0].lstrip().startswith(("[", "{")):
        return 0
    tokens = list(_tokens(line))
    return sum(each in ("[", "{") for each in tokens) - sum(each in ("]", "}") for each in tokens)


def _value(block: list[str]) -> Value:
    lines = [line.strip() for line in block]
    if not lines:
        return ""
    if lines[0].startswith("["):
        return [_scalar(each) for each in _all_tokens(lines) if each not in ("[", "]", ",")]
    if lines[0].startswith("{"):
        tokens = [each for each in _all_tokens(lines) if each not in ("{", "}", ",", ":")]
        if len(tokens) % 2:
            raise ValueError("a mapping in a data.yaml has a key without a value")
        return {
            _scalar(name): _scalar(text)
            for name, text in zip(tokens[::2], tokens[1::2], strict=True)
        }
    if lines[0].startswith("- ") or lines[0] == "-":
        return [_scalar(line.removeprefix("-").strip()) for line in lines]
    pairs = [_PAIR.match(line) for line in lines]
    if len(lines) == 1 and (pairs[0] is None or _WORD.match(lines[0])):
        return _scalar(lines[0])
    mapping: dict[str, str] = {}
    for line, pair in zip(lines, pairs, strict=True):
        if pair is None:
            raise ValueError(f"{line[:40]!r} is not a line of a data.yaml")
        mapping[_scalar(pair[1])] = _scalar(pair[2] or "")
    return mapping


def _all_tokens(lines: list[str]) -> list[str]:
    return [token for line in lines for token in _tokens(line)]


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while not _NO_MORE_TOKENS.match(text, at):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at : at + 40]!r} can't be read in a data.yaml")
        yield found[1].strip()
        at = found.end()


def _scalar(text: str) -> str:
    text = text.strip()
    word = _WORD.match(text)
    if word is None:
        return _COMMENT.sub("", text).strip()
    inside = word[1][1:-1]
    if word[1].startswith("'"):
        return inside.replace("''", "'")
    return _ESCAPED.sub(_unescaped, inside)


def _unescaped(found: re.Match[str]) -> str:
    if found[1][0] in "xuU" and len(found[1]) > 1:
        return chr(min(int(found[1][1:], 16), 0x10FFFF))
    return _ESCAPES.get(found[1], found[1])


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
