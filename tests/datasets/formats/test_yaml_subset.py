"""What we write as YAML others read, and what they write we read."""

from __future__ import annotations

import pytest
import yaml

from src.datasets.formats.yaml_subset import quoted, read_yaml

ODD = [
    "a: b",
    "# c",
    "'",
    '"',
    "\\",
    "yes",
    "1",
    "猫 \U0001f600",
    "\x7f\u2028\x85",
    " a ",
    "[x, y]",
    "-",
    "",
]


def test_odd_names_come_back_from_us_and_from_pyyaml() -> None:
    text = "names:\n" + "".join(f"  {at}: {quoted(name)}\n" for at, name in enumerate(ODD))
    assert list(yaml.safe_load(text)["names"].values()) == ODD
    assert list(read_yaml(text)["names"].values()) == ODD  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "names",
    [
        "names: [cat, 'a, b', \"c: d\", e f]  # all",
        "names: ['cat',\n  'a, b', # two\n  'c: d', e f]",
        "names: [\n'cat',\n'a, b',\n'c: d',\ne f\n]",
        "names:\n  - cat\n  - 'a, b'\n  - \"c: d\"\n  - e f # last",
        "names:\n- cat\n- a, b\n- 'c: d'\n\n# more\n- e f",
    ],
)
def test_lists_of_names(names: str) -> None:
    text = "---\n# a dataset\npath: ../d  # here\ntrain: images/train\nnc: 4\n\n"
    text += f"{names}\nroboflow:\n  url: http://a.b/c\n"
    read = read_yaml(text)
    assert read["names"] == ["cat", "a, b", "c: d", "e f"] == yaml.safe_load(text)["names"]
    assert read["path"] == "../d" and read["train"] == "images/train" and read["nc"] == "4"
    assert read["roboflow"] == {"url": "http://a.b/c"}


def test_mappings_of_names() -> None:
    for text in ("names: {0: cat, 1: 'a, b'}\n", "names:\n  0: cat\n  1: 'a, b'\n"):
        assert read_yaml(text) == {"names": {"0": "cat", "1": "a, b"}}


@pytest.mark.parametrize("text", ["names: {a, b: c}", "no yaml", 'a: ["'])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        read_yaml(text)


def test_long_texts_take_no_longer_than_they_are() -> None:
    names = [f"class {number}" for number in range(10_000)]
    assert read_yaml("names: [\n" + ",\n".join(names) + "\n]\n") == {"names": names}
    assert read_yaml(f"names: [{', '.join(names)}]\n") == {"names": names}
    assert read_yaml('"a b"  : 1\nc : 2\n') == {"a b": "1", "c": "2"}
    with pytest.raises(ValueError, match="is not a line of"):
        read_yaml("a" + " " * 200_000 + "b\n")
