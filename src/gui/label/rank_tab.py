"""The tab "Rank": segments that are like those with a label, to be accepted or rejected."""

from __future__ import annotations

from src.gui.label.label_tab import LabelTab


class RankTab(LabelTab):
    name = "Rank"
