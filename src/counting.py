"""Numbers, sizes and times, as a person writes them."""

from __future__ import annotations


def counted(number: int, word: str) -> str:
    """Write how many there are of what: 1 file, 2 files, 1,200 files.

    Args:
        word: for one of them; its plural takes an s.
    """
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def megabytes(size: int) -> str:
    """Write a size in bytes: 0 MB, 80 kB, 4.2 MB, 375 MB, 2.6 GB."""
    if size >= 10**9:
        return f"{size / 1e9:,.1f} GB"
    if 0 < size < 10**5:
        return f"{max(1, round(size / 1e3))} kB"
    return f"{size / 1e6:.0f} MB" if size >= 10**7 or size == 0 else f"{size / 1e6:.1f} MB"


def clock(seconds: float, decimals: int = 0) -> str:
    """Write a time as 1:02:03, without the hours when there are none.

    Args:
        decimals: of the seconds, rounded; without any only whole seconds that are over count.
    """
    minutes, rest = divmod(round(seconds, decimals) if decimals else int(seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{rest:0{decimals + 3 if decimals else 2}.{decimals}f}"
    return f"{hours}:{minutes:02}:{shown}" if hours else f"{minutes}:{shown}"


def moment(seconds: float, decimals: int | None = None) -> str:
    """Write a moment in a video: 0:05.5, 1:02:03.

    Args:
        decimals: of the seconds; None gives tenths, and none from an hour on.
    """
    if decimals is None:
        seconds = round(seconds, 1)
        decimals = 0 if seconds >= 3600 else 1
    return clock(seconds, decimals)


def from_to(begin_s: float, end_s: float) -> str:
    """Write a range of a video: 0:03.4–0:09.7; where both ends read the same, that alone."""
    begin, end = moment(begin_s), moment(end_s)
    return begin if begin == end else f"{begin}–{end}"


def place_in_file(
    frame_index: int, timestamp_s: float | None, has_pages: bool, decimals: int | None = None
) -> str:
    """Write which moment of a video or which page of an image a frame is: 0:05.5, Page 2.

    Args:
        has_pages: whether the image has several; one that has only one is no page, and gives "".
        decimals: of a moment; see moment.
    """
    if timestamp_s is not None:
        return moment(timestamp_s, decimals)
    return f"Page {frame_index + 1:,}" if has_pages else ""
