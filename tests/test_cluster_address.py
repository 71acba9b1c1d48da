"""Where a cluster is, and where its workers find media."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.cluster_address import are_roots, is_cluster, parse_cluster, parse_root, path_there


@pytest.mark.parametrize("text", ["auto", "local", "ray://studio:10001", "ray://[::1]:10001"])
def test_an_address(text: str) -> None:
    assert parse_cluster(f" {text} ") == text
    assert is_cluster(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "studio", "ray://", "ray://studio", "ray://studio:0", "ray://studio:99999"),
        *("http://a:1", "ray://user:word@studio:10001", "ray://a b:1", "ray://a:1/x", "ray://-a:1"),
    ],
)
def test_what_is_no_address_says_what_one_looks_like(text: str) -> None:
    assert not is_cluster(text)
    with pytest.raises(ValueError, match=r"write ray://HOST:10001, auto .*, or local"):
        parse_cluster(text)


def test_the_longest_root_decides_where_a_worker_looks() -> None:
    roots = ("/mnt=/data", "/mnt/a b=/fast/a")
    assert path_there(Path("/mnt/x/1.jpg"), roots) == "/data/x/1.jpg"
    assert path_there(Path("/mnt/a b/=/1.jpg"), roots) == "/fast/a/=/1.jpg"
    assert path_there(Path("/mnt2/1.jpg"), roots) == "/mnt2/1.jpg"


@pytest.mark.parametrize("text", ["", "/mnt", "mnt=/data", "/mnt=data", "/mnt=", "=/data"])
def test_what_is_no_root_says_how_to_write_one(text: str) -> None:
    assert not are_roots([text])
    with pytest.raises(ValueError, match="write HERE=THERE"):
        parse_root(text)
