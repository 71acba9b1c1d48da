from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from src.processing.capture_dates import (
    date_in_avi,
    date_in_name,
    date_of_image,
    date_of_video,
    parse_date,
)
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_frames
from src.processing.image_loader import load_image
from src.records import MediaKind
from src.settings import Settings
from tests.conftest import MakeVideo

DATE = "2020-01-02T03:04:05"
PICTURE = Image.new("RGB", (8, 8), "red")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2020:01:02 03:04:05", DATE),
        ("2020:01:02 03:04:05\0", DATE),
        (b"2020:01:02 03:04:05", DATE),
        ("2020-01-02T03:04:05", DATE),
        ("2020/01/02 03:04", "2020-01-02T03:04:00"),
        ("2020:01:02 03:04:05.250+09:00", DATE + ".250+09:00"),
        ("2020-01-02T03:04:05.000000Z", DATE + "Z"),
        ("2020-01-02T03:04:05+0900", DATE + "+09:00"),
        ("2020-01-02T03:04:05-03:30", DATE + "-03:30"),
        ("2020-01-02T03:04:05+25:00", DATE),  # no such place
        ("20200102T030405Z", DATE + "Z"),
        ("2020-01-02", "2020-01-02"),
        ("2020:01:02   :  :  ", "2020-01-02"),
        # how cameras write it in an AVI
        ("Mon Mar 10 15:04:43 2003\n", "2003-03-10T15:04:43"),
        ("MON MAR 10 15:04:43 2003", "2003-03-10T15:04:43"),
        ("2001/ 1/27  1:42PM", "2001-01-27T13:42:00"),
        ("2001/ 1/27 12:42 AM", "2001-01-27T00:42:00"),
        ("2005:08:17 11:42:43", "2005-08-17T11:42:43"),
        # and programs in a PNG
        ("Mon, 10 Mar 2003 15:04:43 +0900", "2003-03-10T15:04:43+09:00"),
        ("10 March 2003 15:04:43 GMT", "2003-03-10T15:04:43Z"),
    ],
)
def test_dates_are_read_however_they_are_spelt(text: object, date: str) -> None:
    assert parse_date(text) == date


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00", "    :  :     :  :  ", "", "2020:13:45 03:04:05",
        "2020:01:02 25:61:00", "2019:02:29 00:00:00", "1904-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000000Z", "1601-01-01T00:00:00Z", "Sat Jun", "2020", "2020:01",
        "03/10/2003 15:04", "2020:01:02 03:04:05 and more", "13:42PM", None, 20200102, (2020, 1, 2),
        "2020:01:02 0:42PM",
    ],
)  # fmt: skip
def test_what_is_no_real_date_is_none(text: object) -> None:
    assert parse_date(text) is None


def jpeg(tmp_path: Path, tags: dict[int, object], more: dict[int, object] | None = None) -> Path:
    """A JPEG with EXIF tags of its own and in the EXIF part."""
    exif = Image.Exif()
    exif.update(more or {})
    exif.get_ifd(0x8769).update(tags)
    path = tmp_path / "photo.jpg"
    PICTURE.save(path, exif=exif)
    return path


ORIGINAL, DIGITIZED, CHANGED = 0x9003, 0x9004, 0x0132
EXIF = [
    ({ORIGINAL: "2020:01:02 03:04:05", DIGITIZED: "2021:01:01 00:00:01"}, {}, DATE),
    ({ORIGINAL: "2020:01:02 03:04:05", 0x9291: "25 ", 0x9011: "+09:00"}, {}, DATE + ".25+09:00"),
    ({ORIGINAL: "2020:01:02 03:04:05", 0x9291: "000", 0x9011: "   :  "}, {}, DATE),
    ({ORIGINAL: "2020:01:02 03:04:05+01:00", 0x9011: "+09:00"}, {}, DATE + "+01:00"),
    ({DIGITIZED: "2020:01:02 03:04:05", 0x9292: "5", 0x9012: "-08:00"}, {}, DATE + ".5-08:00"),
    ({ORIGINAL: "0000:00:00 00:00:00"}, {CHANGED: "2020:01:02 03:04:05"}, DATE),
    ({ORIGINAL: "2020:13:45 03:04:05", DIGITIZED: "    :  :     :  :  "}, {}, None),
    ({0x9290: "7", 0x9010: "+02:00"}, {CHANGED: "2020:01:02 03:04:05"}, DATE + ".7+02:00"),
]


@pytest.mark.parametrize(("tags", "more", "date"), EXIF)
def test_the_first_real_date_of_exif_is_taken(
    tmp_path: Path, tags: dict[int, object], more: dict[int, object], date: str | None
) -> None:
    assert load_image(jpeg(tmp_path, tags, more), 1000).captured_at == date


@pytest.mark.parametrize(
    ("xmp", "date"),
    [
        (f'<rdf:Description exif:DateTimeOriginal="{DATE}.5+09:00" xmp:CreateDate="2021-01-01"/>',
         DATE + ".5+09:00"),
        (f"<photoshop:DateCreated>{DATE}</photoshop:DateCreated>", DATE),
        (f'<a exif:DateTimeOriginal="" xmp:CreateDate=\'{DATE}Z\' xmp:ModifyDate="2022-01-01"/>',
         DATE + "Z"),
        (f'<a xmp:ModifyDate="{DATE}"/>', None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_xmp_says_it_where_exif_does_not(
    tmp_path: Path, xmp: str, date: str | None, suffix: str
) -> None:
    path = tmp_path / f"photo.{suffix}"
    if suffix == "tif":
        PICTURE.save(path, tiffinfo={700: xmp.encode()})
    elif suffix == "png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp)
        PICTURE.save(path, pnginfo=text)
    else:
        PICTURE.save(path, xmp=xmp.encode())
    with Image.open(path) as image:
        assert date_of_image(image) == date


def iptc(number: int, value: bytes) -> bytes:
    return bytes((0x1C, 2, number)) + len(value).to_bytes(2, "big") + value


@pytest.mark.parametrize(
    ("records", "date"),
    [
        (iptc(55, b"20200102") + iptc(60, b"030405+0900"), DATE + "+09:00"),
        (iptc(55, b"20200102") + iptc(60, b"030405"), DATE),
        (iptc(55, b"20200102"), "2020-01-02"),
        (iptc(55, b"00000000") + iptc(62, b"20200102") + iptc(63, b"030405"), DATE),
    ],
)
def test_iptc_says_it_where_exif_does_not(tmp_path: Path, records: bytes, date: str) -> None:
    block = (
        b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + b"\0" * (len(records) % 2)
    )
    body = b"Photoshop 3.0\0" + block
    content = BytesIO()
    PICTURE.save(content, "JPEG")
    marker = b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    path = tmp_path / "photo.jpg"
    path.write_bytes(content.getvalue()[:2] + marker + content.getvalue()[2:])
    with Image.open(path) as image:
        assert date_of_image(image) == date


@pytest.mark.parametrize("name", ["Creation Time", "date:create"])
@pytest.mark.parametrize("after", [False, True])
def test_a_png_says_it_in_text_before_or_after_its_pixels(
    tmp_path: Path, name: str, after: bool
) -> None:
    text = PngImagePlugin.PngInfo()
    text.add(b"tEXt", f"{name}\0{DATE}+00:00".encode("latin-1"), after_idat=after)
    path = tmp_path / "picture.png"
    PICTURE.save(path, pnginfo=text)
    assert load_image(path, 1000).captured_at == DATE + "+00:00"


def test_a_png_and_a_tiff_say_it_in_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769)[ORIGINAL] = "2020:01:02 03:04:05"
    PICTURE.save(tmp_path / "picture.png", exif=exif)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x8769] = {ORIGINAL: "2020:01:02 03:04:05"}
    PICTURE.save(tmp_path / "picture.tif", tiffinfo=tags)
    for name in ("picture.png", "picture.tif"):
        assert load_image(tmp_path / name, 1000).captured_at == DATE, name


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_hide_the_next(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    PICTURE.save(
        path, exif=b"Exif\0\0II*\0\xff\xff\xff\x7f", xmp=f'<a xmp:CreateDate="{DATE}"/>'.encode()
    )
    with Image.open(path) as image:
        assert date_of_image(image) == DATE


def test_a_film_says_it_in_its_container() -> None:
    when = ("creation_time", "2020-01-01T18:04:05.000000Z")
    apple = ("com.apple.quicktime.creationdate", "2020-01-02T03:04:05+0900")
    assert date_of_video([when, apple]) == DATE + "+09:00"
    assert date_of_video([when]) == "2020-01-01T18:04:05Z"
    assert date_of_video([("creation_time", ";".join([when[1]] * 2))]) == "2020-01-01T18:04:05Z"
    never = ("creation_time", "1970-01-01T00:00:00.000000Z")
    assert date_of_video([never, ("date", "2020-01-02T03:04:05")]) == DATE
    assert date_of_video([never, ("title", DATE)]) is None


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("IMG_20200102_030405.jpg", DATE),
        ("VID_20200102_030405_123.mp4", DATE),
        ("IMG_20200102_030405123.jpg", DATE + ".123"),
        ("PXL_20200102_030405123.jpg", DATE + ".123Z"),
        ("20200102_030405.mp4", DATE),
        ("20200102030405.jpg", DATE),
        ("Screenshot 2020-01-02 at 03.04.05.png", DATE),
        ("Screen Shot 2020-01-02 at 3.04.05\u202fPM.png", "2020-01-02T15:04:05"),
        ("Screenshot_20200102-030405_Maps.jpg", DATE),
        ("Screenshot from 2020-01-02 03-04-05.png", DATE),
        ("2020-01-02 03.04.05-2.jpg", DATE),
        ("WhatsApp Image 2020-01-02 at 03.04.05.jpeg", DATE),
        ("signal-2020-01-02-030405.jpg", DATE),
        ("IMG-20200102-WA0001.jpg", "2020-01-02"),
        ("2020-01-02 party.jpg", "2020-01-02"),
        ("IMG_20201345_030405.jpg", None),
        ("IMG_20200102_256199.jpg", None),
        ("DSC_0123.jpg", None),
        ("92020010203040512345.jpg", None),
        ("1920x1080.mp4", None),
    ],
)
def test_names_of_files_say_it(name: str, date: str | None) -> None:
    assert date_in_name(name) == date


@pytest.mark.parametrize(
    ("kind", "name"), [("image", "IMG_20200102_030405.png"), ("video", "VID_20200102_030405.mkv")]
)
def test_the_name_speaks_where_nothing_in_the_file_does(
    tmp_path: Path, make_video: MakeVideo, kind: MediaKind, name: str
) -> None:
    if kind == "image":
        PICTURE.save(tmp_path / name)
    else:
        make_video(name, 0.2)
    facts = VideoFacts()
    assert list(read_frames(tmp_path / name, kind, Settings(), facts))
    assert facts.captured_at == DATE


def film_facts(path: Path) -> VideoFacts:
    facts = VideoFacts()
    list(read_frames(path, "video", Settings(), facts))
    return facts


def test_the_date_of_a_film_is_read(make_video: MakeVideo) -> None:
    apple = ("-movflags", "use_metadata_tags", "-metadata")
    path = make_video(
        "VID_20190101_000001.mov", 0.2,
        "-metadata", "creation_time=2020-01-01T18:04:05Z",
        *apple, "com.apple.quicktime.creationdate=2020-01-02T03:04:05+0900",
    )  # fmt: skip
    assert film_facts(path).captured_at == DATE + "+09:00"
    path = make_video("a.mp4", 0.2, "-metadata", "creation_time=2020-01-01T18:04:05Z")
    assert film_facts(path).captured_at == "2020-01-01T18:04:05Z"


def test_the_camera_of_a_film_is_read(make_video: MakeVideo) -> None:
    apple = ("-movflags", "use_metadata_tags", "-metadata", "com.apple.quicktime.make=Apple")
    path = make_video("a.mov", 0.2, *apple, "-metadata", "com.apple.quicktime.model=iPhone  12")
    assert film_facts(path).camera == ("Apple", "iPhone 12")
    android = ("-movflags", "use_metadata_tags", "-metadata", "com.android.manufacturer=Maker")
    assert film_facts(make_video("b.mp4", 0.2, *android)).camera == ("Maker", None)
    assert film_facts(make_video("c.mp4", 0.2)).camera == (None, None)


def with_idit(path: Path, text: bytes) -> None:
    """Put a date at the end of an AVI's header, as cameras do."""
    content = path.read_bytes()
    text += b"\n\0" + b"\0" * (len(text) % 2)
    chunk = b"IDIT" + len(text).to_bytes(4, "little") + text
    assert content[12:16] == b"LIST" and content[20:24] == b"hdrl"
    size = int.from_bytes(content[16:20], "little")
    end = 20 + size
    header = content[:16] + (size + len(chunk)).to_bytes(4, "little") + content[20:end]
    path.write_bytes(header + chunk + content[end:])


@pytest.mark.parametrize(
    ("text", "date"),
    [
        (b"Mon Mar 10 15:04:43 2003", "2003-03-10T15:04:43"),
        (b"MON MAR 10 15:04:43 2003", "2003-03-10T15:04:43"),
        (b"2003/03/10/ 15:04", "2003-03-10T15:04:00"),
        (b"2003/ 3/10  3:04PM", "2003-03-10T15:04:00"),
        (b"2003:03:10 15:04:43", "2003-03-10T15:04:43"),
        (b"0000:00:00 00:00:00", None),
    ],
)
def test_the_date_of_an_avi_is_read(make_video: MakeVideo, text: bytes, date: str | None) -> None:
    path = make_video("clip.avi", 0.2, "-c:v", "mpeg4")
    with_idit(path, text)
    assert date_in_avi(path) == date
    assert film_facts(path).captured_at == date
