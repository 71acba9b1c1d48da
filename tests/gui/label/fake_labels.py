"""Labels kept in memory, with the verbs of `library.labels` that the panel uses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from src.errors import QueryError
from src.label_records import (
    LABEL_COLOURS,
    Label,
    LabelAttribute,
    LabelRanking,
    RankingOrder,
)
from src.records import SearchHit
from src.search.completion import Names
from src.search.query import Query

State = dict[str, tuple[Label, dict[str, str]]]


@dataclass
class FakeLabels:
    """A label has segments by id: "human", "propagated", or "no".

    Attributes:
        rank: gives all candidates of a label, best first.
        asked: what rankings were asked for: label, seeds, order, how many answers there were.
    """

    rank: Callable[[str], Sequence[SearchHit]] = lambda _: ()
    state: State = field(default_factory=dict)
    batches: dict[str, tuple[State, State]] = field(default_factory=dict)
    values: dict[str, dict[str, dict[str, str | float]]] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...], str, int]] = field(default_factory=list)
    every: int = 10
    acceptable: int = 0
    rejections_wanted: int = 0
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def _act(self, state: State) -> str:
        batch = f"batch {next(self.numbers)}"
        self.batches[batch] = self.state, state
        self.state = state
        return batch

    def list(self) -> list[Label]:
        return [
            replace(
                label,
                segments=sum(each == "human" for each in has.values()),
                accepted_together=sum(each == "propagated" for each in has.values()),
            )
            for label, has in self.state.values()
        ]

    def names(self) -> Names:
        return Names((name, len(has)) for name, (_, has) in self.state.items())

    def add(
        self, name: str, colour: str | None = None, attributes: Sequence[LabelAttribute] = ()
    ) -> Label:
        if name in self.state:
            raise QueryError(f"there is a label “{name}” already")
        colour = colour or LABEL_COLOURS[len(self.state) % len(LABEL_COLOURS)]
        label = Label(name, colour, attributes=tuple(attributes))
        self.state = self.state | {name: (label, {})}
        return label

    def rename(self, name: str, new_name: str) -> str:
        if new_name in self.state:
            raise QueryError(f"there is a label “{new_name}” already; merge them instead")
        return self._act(
            {
                new_name if each == name else each: (
                    (replace(label, name=new_name), has) if each == name else (label, has)
                )
                for each, (label, has) in self.state.items()
            }
        )

    def merge(self, names: Sequence[str], into: str) -> str:
        label, has = self.state[into]
        for name in names:
            has = self.state[name][1] | has
        rest = {each: found for each, found in self.state.items() if each not in names}
        return self._act(rest | {into: (label, has)})

    def remove(self, name: str) -> str:
        return self._act({each: found for each, found in self.state.items() if each != name})

    def reorder(self, names: Sequence[str]) -> str:
        return self._act({name: self.state[name] for name in names})

    def set_colour(self, name: str, colour: str) -> str:
        label, has = self.state[name]
        return self._act(self.state | {name: (replace(label, colour=colour), has)})

    def set_attributes(self, name: str, attributes: Sequence[LabelAttribute]) -> str:
        label, has = self.state[name]
        return self._act(self.state | {name: (replace(label, attributes=tuple(attributes)), has)})

    def _say(self, name: str, said: dict[str, str]) -> State:
        label, has = self.state[name]
        return self.state | {name: (label, has | said)}

    def give(self, segment_ids: Sequence[str], name: str) -> str:
        return self._act(self._say(name, dict.fromkeys(segment_ids, "human")))

    def reject(self, segment_ids: Sequence[str], name: str) -> str:
        return self._act(self._say(name, dict.fromkeys(segment_ids, "no")))

    def replace(self, segment_ids: Sequence[str], name: str, new_name: str) -> str:
        label, has = self.state[new_name]
        new = has | dict.fromkeys(segment_ids, "human")
        return self._act(
            self._say(name, dict.fromkeys(segment_ids, "no")) | {new_name: (label, new)}
        )

    def accept_together(
        self, segment_ids: Sequence[str], name: str, confidences: Sequence[float]
    ) -> str:
        assert len(confidences) == len(segment_ids)
        has = self.state[name][1]
        new = [segment_id for segment_id in segment_ids if segment_id not in has]
        return self._act(self._say(name, dict.fromkeys(new, "propagated")))

    def clear(self, segment_ids: Sequence[str], name: str) -> str:
        label, has = self.state[name]
        left = {key: said for key, said in has.items() if key not in segment_ids}
        return self._act(self.state | {name: (label, left)})

    def set_attribute(
        self, segment_ids: Sequence[str], label: str, attribute: str, value: str | float | None
    ) -> str:
        for segment_id in segment_ids:
            values = self.values.setdefault(segment_id, {}).setdefault(label, {})
            values.pop(attribute, None)
            if value is not None:
                values[attribute] = value
        return self._act(self.state)

    def attributes_of(
        self, segment_ids: Sequence[str]
    ) -> dict[str, dict[str, dict[str, str | float]]]:
        return {key: self.values[key] for key in segment_ids if key in self.values}

    def undo(self, batch: str) -> int:
        self.state = self.batches[batch][0]
        return 1

    def redo(self, batch: str) -> int:
        self.state = self.batches[batch][1]
        return 1

    def ranking(self, name: str) -> FakeRanker:
        return FakeRanker(self, name)


@dataclass(frozen=True)
class FakeRanker:
    labels: FakeLabels
    name: str

    def rank(
        self,
        seeds: Sequence[str] = (),
        query: Query | None = None,
        order: RankingOrder = "best",
        limit: int = 200,
    ) -> LabelRanking:
        labels, has = self.labels, self.labels.state[self.name][1]
        human = [said for said in has.values() if said != "propagated"]
        labels.asked.append((self.name, tuple(seeds), order, len(human)))
        hits = [hit for hit in labels.rank(self.name) if hit.segment.id not in has]
        if order == "doubtful":
            hits.reverse()
        knows = len(human) >= 10
        return LabelRanking(
            self.name,
            tuple(hits[:limit]),
            human.count("human"),
            human.count("no"),
            0.92 if knows else None,
            len(hits) if knows else None,
            min(labels.acceptable, len(hits)),
            labels.rejections_wanted,
            labels.every,
        )
