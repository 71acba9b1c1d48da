"""When a photo or a film was taken, as an instant, independent of the machine's time zone."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN = "unknown"

# The instant at which a media file was taken, in days; NULL where that is not known. The clock of a
# camera that says nothing of its zone is taken for this machine's, wherever that is now.
INSTANT = f"""julianday(captured_utc_s, 'unixepoch',
    CASE captured_zone WHEN '{UNKNOWN}' THEN 'utc' ELSE '+0 seconds' END)"""


def moment_of(captured_at: str | None) -> tuple[float | None, str | None]:
    """Read a date of the library's spelling (ISO 8601, see capture_dates).

    Returns:
        Seconds since the epoch, and the zone in which it was written: "UTC", an offset such as
        "+09:00", or "unknown", where the time is that of the camera's own clock and is written
        down as if that were of UTC; see INSTANT. A day without a time is its first moment. None
        and None for what is no date.
    """
    try:
        moment = datetime.fromisoformat(captured_at or "")
    except ValueError:
        return None, None
    if moment.tzinfo is None:
        return round(moment.replace(tzinfo=UTC).timestamp(), 3), UNKNOWN
    zone = "UTC" if str(captured_at).endswith("Z") else str(captured_at)[-6:]
    return round(moment.timestamp(), 3), zone
