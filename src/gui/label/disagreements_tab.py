"""The tab "Disagreements": where a model or another segment says otherwise than a person."""

from __future__ import annotations

from src.gui.label.label_tab import LabelTab


class DisagreementsTab(LabelTab):
    name = "Disagreements"
