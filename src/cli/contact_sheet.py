"""Search hits as one picture: a row a query, its best hits from left to right."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from src.records import SearchHit

THUMBNAIL = 132
GAP = 12
MARGIN = 24
LABEL_WIDTH = 200
WINDOW, CARD, TEXT, TEXT_2, ACCENT, TRACK = (
    "#161618",
    "#232327",
    "#EDEDEF",
    "#B2B2BA",
    "#7AB0FF",
    "#38383E",
)


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[SearchHit]]],
    read_image: Callable[[Path], np.ndarray],
    columns: int = 6,
) -> bytes:
    """Draw queries and their hits, with each hit's score as a number and a bar: a PNG file.

    Args:
        read_image: reads a crop, (H, W, 3) uint8 RGB.
    """
    row_height = THUMBNAIL + 28 + GAP
    width = 2 * MARGIN + LABEL_WIDTH + columns * (THUMBNAIL + GAP) - GAP
    sheet = Image.new("RGB", (width, 2 * MARGIN + len(rows) * row_height - GAP), WINDOW)
    draw = ImageDraw.Draw(sheet)
    title, small = ImageFont.load_default(18), ImageFont.load_default(13)
    for number, (query, hits) in enumerate(rows):
        top = MARGIN + number * row_height
        draw.multiline_text((MARGIN, top + 8), _wrapped(query), fill=TEXT, font=title, spacing=6)
        if not hits:
            draw.text((MARGIN + LABEL_WIDTH, top + 8), "no hits", fill=TEXT_2, font=small)
        for column, hit in enumerate(hits[:columns]):
            left = MARGIN + LABEL_WIDTH + column * (THUMBNAIL + GAP)
            side = (THUMBNAIL, THUMBNAIL)
            crop = Image.fromarray(read_image(hit.segment.crop_path))
            sheet.paste(ImageOps.pad(crop, side, color=CARD), (left, top))
            bar = top + THUMBNAIL + 6
            score = hit.score or 0.0
            length = round((THUMBNAIL - 40) * max(0.0, min(1.0, score)))
            draw.rectangle((left, bar + 4, left + THUMBNAIL - 40, bar + 7), fill=TRACK)
            draw.rectangle((left, bar + 4, left + length, bar + 7), fill=ACCENT)
            draw.text((left + THUMBNAIL, bar), f"{score:.2f}", fill=TEXT_2, font=small, anchor="ra")
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()


def _wrapped(text: str, columns: int = 18) -> str:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= columns:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
