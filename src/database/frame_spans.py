"""When the stored frames of a video are shown, and until when each stands for what follows it."""

from __future__ import annotations

from collections.abc import Sequence

from src.database.connection import Connection


def stored_frame_times(connection: Connection, media_file_id: int) -> list[tuple[int, float]]:
    """List the stored frames of a video in the order of time: index, and time in seconds."""
    # a stranger's library may have anything in a row; ordinary ones are checked elsewhere
    rows = connection.read().execute(
        "SELECT frame_index, timestamp_s FROM frames WHERE media_file_id = ?"
        " AND typeof(timestamp_s) IN ('real', 'integer') AND abs(timestamp_s) < 1e9"
        " AND typeof(frame_index) = 'integer' ORDER BY timestamp_s, frame_index",
        (media_file_id,),
    )
    return [(row["frame_index"], row["timestamp_s"]) for row in rows]


def until_the_next(times_s: Sequence[float], duration_s: float | None) -> list[float]:
    """Return until when each frame is what the library has: the next one, or the video's end.

    Args:
        times_s: of the stored frames, ascending.
        duration_s: of the video, where it is known.
    """
    if not times_s:
        return []
    return [*times_s[1:], max(times_s[-1], duration_s or 0.0)]


def divide_span(
    connection: Connection, media_file_id: int, frame_index: int, before_s: float | None
) -> None:
    """Divide the time that a frame stands for between it and a new frame after it.

    Args:
        frame_index: of the new frame, which is stored.
        before_s: when the last moment was that the one before still stands for; None where there
            was none beside its own.
    """
    with connection.write() as db:
        new = db.execute(
            "SELECT id, timestamp_s FROM frames WHERE media_file_id = ? AND frame_index = ?",
            (media_file_id, frame_index),
        ).fetchone()
        old = db.execute(
            "SELECT id, timestamp_s, until_s FROM frames"
            " WHERE media_file_id = ? AND frame_index < ? ORDER BY frame_index DESC LIMIT 1",
            (media_file_id, frame_index),
        ).fetchone()
        if old is None or old["until_s"] is None or old["until_s"] <= new["timestamp_s"]:
            return
        left_s = max(old["timestamp_s"], old["timestamp_s"] if before_s is None else before_s)
        values = [(old["until_s"], new["id"]), (left_s, old["id"])]
        db.executemany("UPDATE frames SET until_s = ? WHERE id = ?", values)


def lengthen_span(
    connection: Connection, media_file_id: int, frame_index: int, until_s: float
) -> None:
    """Extend the time of the last stored frame before one that is left out as its repetition."""
    with connection.write() as db:
        db.execute(
            "UPDATE frames SET until_s = ?2 WHERE id = (SELECT id FROM frames"
            " WHERE media_file_id = ?1 AND frame_index < ?3 ORDER BY frame_index DESC LIMIT 1)"
            " AND (until_s IS NULL OR until_s < ?2)",
            (media_file_id, until_s, frame_index),
        )
