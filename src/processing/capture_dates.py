"""When a photo or a film was taken: the first real date among all that a file says of it.

Dates are ISO 8601: "2020-01-02T03:04:05.25+09:00". The offset is there where it is known; without
one the time is that of the camera's own clock. Where only a day is known, only a day is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from src.errors import MediaReadError

# Photography's first year; clocks that were never set count from 1601, 1904 or 1970.
FIRST_YEAR = 1826
UNSET_DAYS = ("1904-01-01", "1970-01-01")
MAX_OFFSET_H = 14
# The header of an AVI lies before its pictures, and is no longer than this.
AVI_HEADER_BYTES = 256 << 10

LONGEST_CAMERA_NAME = 80
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_TIME = (
    r"(?P<hour>\d{1,2})[:.] ?(?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<part>\d+))?)?"
    r"\s*(?P<half>[ap]m?\b)?\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?"
)
_MONTH = rf"(?P<month_name>{'|'.join(MONTHS)})[a-z]*"
# What is not known of a time is left blank in EXIF, its colons and all.
SPELLINGS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 2020:01:02 03:04:05, 2020-01-02T03:04:05.25+09:00, 2001/ 1/27  1:42PM, 2020-01-02
        r"(?P<year>\d{4})[:/.-] ?(?P<month>\d{1,2})[:/.-] ?(?P<day>\d{1,2})"
        rf"(?:(?:\s*T\s*|/?\s+){_TIME}|[ :]*)",
        # 20200102T030405Z, 20200102 030405+0900, 20200102
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
        r"(?:[T ]?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?:\.(?P<part>\d+))?"
        r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?",
        # Mon Mar 10 15:04:43 2003
        rf"(?:[a-z]+,?\s+)?{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_TIME}\s+(?P<year>\d{{4}})",
        # Mon, 10 Mar 2003 15:04:43 +0900
        rf"(?:[a-z]+,?\s+)?(?P<day>\d{{1,2}})[ -]{_MONTH}[ -](?P<year>\d{{4}})\s+{_TIME}",
    )
]

# IMG_20200102_030405, PXL_20200102_030405123, Screenshot 2020-01-02 at 3.04.05 PM
_NAME_MOMENT = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<dash>[-_.]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?:[-_ T]*|\s+at\s+)(?P<hour>\d{1,2})[-_.:h]?(?P<minute>\d\d)[-_.:m]?(?P<second>\d\d)"
    r"(?P<part>\d{3})?(?!\d)(?:\s*(?P<half>[AP]M)\b)?",
    re.IGNORECASE,
)
# IMG-20200102-WA0001, 2020-01-02 party
_NAME_DAY = re.compile(
    r"(?:-(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)-WA\d)"
    r"|(?<!\d)(?P<year_>(?:19|20)\d\d)-(?P<month_>\d\d)-(?P<day_>\d\d)(?!\d)"
)
_XMP_NAMES = (
    "exif:DateTimeOriginal", "exif:DateTimeDigitized", "photoshop:DateCreated", "xmp:CreateDate",
)  # fmt: skip
# The names of the EXIF tags for a date, the part of its second, and its offset.
_EXIF_DATES = (
    (0x9003, 0x9291, 0x9011),  # original
    (0x9004, 0x9292, 0x9012),  # digitized
    (0x0132, 0x9290, 0x9010),  # changed
)
_PNG_NAMES = ("creation time", "date:create")
_VIDEO_MAKES = ("com.apple.quicktime.make", "com.android.manufacturer", "make")
_VIDEO_MODELS = ("com.apple.quicktime.model", "com.android.model", "model")
_VIDEO_NAMES = ("com.apple.quicktime.creationdate", "creation_time", "date")


def parse_date(text: object) -> str | None:
    """Bring a date, as files spell it, to ISO 8601; None for what is no real date.

    Args:
        text: str or ASCII bytes; anything else is no date.
    """
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    if not isinstance(text, str):
        return None
    text = text.replace("\0", " ").strip()
    for spelling in SPELLINGS:
        if match := spelling.fullmatch(text):
            return _in_iso(match.groupdict())
    return None


def first_date(candidates: Iterable[object]) -> str | None:
    """Return the first that is a real date."""
    return next((date for text in candidates if (date := parse_date(text))), None)


def date_of_image(image: Image.Image) -> str | None:
    """Find when an image was taken: in EXIF, XMP, IPTC or the text of a PNG, in this order.

    Args:
        image: opened; a PNG is loaded, as text can come after its pixels.
    """
    readers: Sequence[Callable[[Image.Image], Iterator[object]]] = (
        _exif_dates, _xmp_dates, _iptc_dates, _png_dates,
    )  # fmt: skip
    for read in readers:
        try:
            if date := first_date(read(image)):
                return date
        except Exception:
            continue  # broken metadata does not matter to the picture
    return None


def camera_of(image: Image.Image) -> tuple[str | None, str | None]:
    """Read the make and the model of the camera in an image's EXIF; None for what is not there."""
    try:
        tags = image.getexif()
        make, model = tags.get(ExifTags.Base.Make), tags.get(ExifTags.Base.Model)
    except Exception:
        return None, None  # broken metadata does not matter to the picture
    return _camera_name(make), _camera_name(model)


def _camera_name(value: object) -> str | None:
    """Bring a name to one line of what can be shown."""
    if not isinstance(value, str):
        return None
    words = "".join(char if char.isprintable() else " " for char in value).split()
    return " ".join(words)[:LONGEST_CAMERA_NAME].strip() or None


def camera_of_video(notes: Iterable[tuple[str, str]]) -> tuple[str | None, str | None]:
    """Find the make and the model of the camera in what a film's container says.

    Args:
        notes: see date_of_video.
    """
    first: dict[str, str] = {}
    for name, value in notes:
        first.setdefault(name, value.split(";")[0])
    make, model = (
        next((found for name in names if (found := _camera_name(first.get(name)))), None)
        for names in (_VIDEO_MAKES, _VIDEO_MODELS)
    )
    return make, model


def date_of_video(notes: Iterable[tuple[str, str]]) -> str | None:
    """Find when a film was taken in the names and values that its container gives.

    Args:
        notes: names in lower case. A value can be several, with a semicolon between them.
    """
    by_name: dict[str, list[str]] = {}
    for name, value in notes:
        by_name.setdefault(name, []).extend(value.split(";"))
    return first_date(value for name in _VIDEO_NAMES for value in by_name.get(name, ()))


def date_in_avi(path: Path) -> str | None:
    """Find the date that cameras put in the header of an AVI, in spellings of their own.

    Raises:
        MediaReadError: the file can't be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(AVI_HEADER_BYTES)
    except OSError as exc:
        raise MediaReadError(path, f"can't be read ({exc.strerror or exc})") from exc
    if head[:4] != b"RIFF":
        return None
    head = head.partition(b"movi")[0]
    texts = (found[1] for found in re.finditer(rb"IDIT[\x01-\x40]\0\0\0([ -~]{8,64})", head))
    return first_date(texts)


def date_in_name(name: str) -> str | None:
    """Find the moment, or the day, that cameras and programs write in a file's name."""
    if match := _NAME_MOMENT.search(name):
        parts = match.groupdict()
        if name.startswith("PXL_"):
            parts["zone"] = "Z"  # that camera names files by universal time
        if date := _in_iso(parts):
            return date
    if match := _NAME_DAY.search(name):
        parts = {key.rstrip("_"): value for key, value in match.groupdict().items() if value}
        return _in_iso(parts)
    return None


def _in_iso(parts: dict[str, str | None]) -> str | None:
    month_name = parts.get("month_name")
    month = MONTHS.index(month_name.lower()) + 1 if month_name else int(parts["month"] or 0)
    year, day = int(parts["year"] or 0), int(parts["day"] or 0)
    hour, minute, second = (int(parts.get(key) or 0) for key in ("hour", "minute", "second"))
    half = (parts.get("half") or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    date = f"{moment:%Y-%m-%d}" if year > 999 else ""
    if year < FIRST_YEAR or date in UNSET_DAYS:
        return None
    if parts.get("hour") is None:
        return date
    part = (parts.get("part") or "").strip()
    fraction = f".{part}" if part.strip("0") else ""
    return f"{date}T{moment:%H:%M:%S}{fraction}{_offset(parts.get('zone'))}"


def _offset(zone: object) -> str:
    """Bring Z, GMT, +0900 or +09:00 to ISO 8601; empty where it is none."""
    text = zone.strip("\0 ") if isinstance(zone, str) else ""
    if text.upper() in ("Z", "UTC", "GMT"):
        return "Z"
    match = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text)
    if match is None or int(match[2]) > MAX_OFFSET_H or int(match[3]) > 59:
        return ""
    return f"{match[1]}{match[2]}:{match[3]}"


def _exif_dates(image: Image.Image) -> Iterator[object]:
    base = image.getexif()
    tags = {**base, **base.get_ifd(ExifTags.IFD.Exif)}
    for date_tag, part_tag, offset_tag in _EXIF_DATES:
        date = parse_date(tags.get(date_tag))
        if date is None or "T" not in date:
            yield date
            continue
        part = str(tags.get(part_tag, "")).strip("\0 ")
        if "." not in date and part.isdecimal() and part.strip("0"):
            date = f"{date[:19]}.{part}{date[19:]}"
        has_offset = re.search(r"Z$|[+-]\d\d:\d\d$", date) is not None
        yield date if has_offset else date + _offset(tags.get(offset_tag))


def _xmp_dates(image: Image.Image) -> Iterator[object]:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet)
    for name in _XMP_NAMES:
        # as an attribute or as an element
        for found in re.finditer(rf"""\b{name}(?:\s*=\s*["']([^"'<]*)|\s*>([^<]*)<)""", text):
            yield found[1] or found[2]


def _iptc_dates(image: Image.Image) -> Iterator[object]:
    if not isinstance(image, ImageFile.ImageFile):
        return
    tags = IptcImagePlugin.getiptcinfo(image) or {}
    for date_tag, time_tag in (((2, 55), (2, 60)), ((2, 62), (2, 63))):  # created, digitized
        date, time = (_ascii(tags.get(tag)) for tag in (date_tag, time_tag))
        yield f"{date} {time}" if time.strip("0+-") else date


def _ascii(value: object) -> str:
    value = value[0] if isinstance(value, list) and value else value
    return value.decode("ascii", "replace").strip("\0 ") if isinstance(value, bytes) else ""


def _png_dates(image: Image.Image) -> Iterator[object]:
    if image.format == "PNG":
        image.load()
        texts = {name.lower(): text for name, text in image.info.items() if isinstance(name, str)}
        yield from (texts.get(name) for name in _PNG_NAMES)
