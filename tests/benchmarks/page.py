"""The page that benchmarks put their tables into."""

from __future__ import annotations

from src.config import APPLICATION_FOLDER


def put_table(marks: tuple[str, str], table: str) -> None:
    """Put a table into docs/benchmarks.md between its two marks, for the one that is there.

    Raises:
        ValueError: the page has no such marks.
    """
    page = APPLICATION_FOLDER / "docs" / "benchmarks.md"
    before, rest = page.read_text(encoding="utf-8").split(marks[0])
    _, after = rest.split(marks[1])
    page.write_text(f"{before}{marks[0]}\n{table}\n{marks[1]}{after}", encoding="utf-8")
