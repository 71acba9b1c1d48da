from __future__ import annotations

import pytest

from src.processing.video_seek import (
    ListedPacket,
    begins_anew,
    is_known,
    is_orderly,
    last_tick,
    length_bytes,
    shown_at,
    upright,
)


def sized(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def coded(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


SEI, IDR, OTHER = b"\x06\x05\x01", b"\x65\x88\x84", b"\x41\x9a\x00"  # of H.264
HEVC_SEI, HEVC_CRA, HEVC_TRAIL = b"\x4e\x01\x00", b"\x2a\x01\x00", b"\x02\x01\x00"


@pytest.mark.parametrize("packed", [sized, coded])
def test_pictures_that_nothing_before_is_needed_for(packed: object) -> None:
    assert callable(packed)
    length = 4 if packed is sized else 0
    assert begins_anew("h264", packed(SEI, IDR), length)
    assert not begins_anew("h264", packed(SEI, OTHER), length)  # a recovery point is none
    assert begins_anew("hevc", packed(HEVC_SEI, HEVC_CRA), length)
    assert not begins_anew("hevc", packed(HEVC_SEI, HEVC_TRAIL), length)
    assert not begins_anew("h264", packed(SEI), length)


@pytest.mark.parametrize("packet", [b"", b"\0", b"\xff" * 40, b"\0\0\1", b"\0\0\0\xff\x65"])
def test_a_damaged_packet_is_no_place_to_begin(packet: bytes) -> None:
    for length in (0, 1, 4):
        assert not begins_anew("hevc", packet, length)


def test_codecs() -> None:
    assert begins_anew("mjpeg", b"", 0) and begins_anew("vp9", b"", 0)
    assert is_known("h264") and is_known("prores") and not is_known("cinepak")


def test_how_units_are_told_apart() -> None:
    assert length_bytes("h264", b"\x01\x64\x00\x28\xff\xe1") == 4
    assert length_bytes("hevc", b"\x01" + bytes(20) + b"\xfd" + bytes(3)) == 2
    assert length_bytes("h264", b"\0\0\0\1\x67") == 0
    assert length_bytes("h264", b"") == length_bytes("hevc", b"\x01") == 0


def test_the_frame_of_a_moment_is_the_last_one_until_then() -> None:
    times = [0, 100, 150]
    assert [shown_at(times, tick) for tick in (-1, 0, 99, 100, 149, 900)] == [
        None, 0, 0, 100, 100, 150
    ]  # fmt: skip


def test_what_six_digits_round_off_misses_no_frame() -> None:
    tick = round(1234.5678 * 90_000)
    assert last_tick(1234.57, 0.0, 90_000) >= tick  # rounded up, as a library has it
    assert last_tick(1234.5634, 0.0, 90_000) >= tick
    assert last_tick(1234.55, 0.0, 90_000) < tick
    assert last_tick(1.0, 1.4, 90_000) == round(2.4 * 90_000)


def listed(*times: int | None) -> list[ListedPacket]:
    return [ListedPacket(pts, number * 10, 1) for number, pts in enumerate(times)]


def test_files_whose_clock_can_be_followed() -> None:
    assert is_orderly(listed(10, 40, 20, 30), 100)
    assert not is_orderly([], 100)
    assert not is_orderly(listed(10, None, 20), 100)
    assert not is_orderly(listed(10, 20, 20), 100)
    assert not is_orderly([ListedPacket(0, 0, 1), ListedPacket(5000, 5000, 1)], 100)
    assert not is_orderly([ListedPacket(9, 9, 1), ListedPacket(5, 5, 1)], 100)
    assert not is_orderly([ListedPacket(1, None, 1), ListedPacket(2, 5, 1)], 100)


ONE, LAST = 1 << 16, 1 << 30


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        (None, (False, False, False)),
        ((ONE, 0, 0, 0, ONE, 0, 0, 0, LAST), (False, False, False)),
        ((-ONE, 0, 0, 0, -ONE, 0, 0, 0, LAST), (False, True, True)),
        ((0, ONE, 0, -ONE, 0, 0, 0, 0, LAST), (True, True, False)),
        ((0, -ONE, 0, ONE, 0, 0, 0, 0, LAST), (True, False, True)),
        ((ONE, ONE, 0, -ONE, ONE, 0, 0, 0, LAST), None),
        ((0, 0, 0, 0, 0, 0, 0, 0, 0), None),
    ],
)
def test_turns_by_quarters(matrix: tuple[int, ...] | None, turn: object) -> None:
    assert upright(matrix) == turn
