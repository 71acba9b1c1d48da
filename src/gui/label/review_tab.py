"""The tab "Review": frame by frame, whether each holds more of a label."""

from __future__ import annotations

from src.gui.label.label_tab import LabelTab


class ReviewTab(LabelTab):
    name = "Review"
