"""Options that describe themselves: fields of a frozen dataclass.

The window draws its controls from them and the command line its flags, so that a person who adds an
option writes it down once:

    @dataclass(frozen=True)
    class YoloOptions:
        val_share: float = option(0.2, "Share for validation", limits=(0, 1))
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from src.errors import OptionError

OptionKind = Literal["switch", "whole number", "number", "choice", "text"]
OptionValue = bool | int | float | str
Built = TypeVar("Built")

_KINDS: dict[type, OptionKind] = {bool: "switch", int: "whole number", float: "number", str: "text"}
_SWITCH = {"yes": True, "no": False}


@dataclass(frozen=True)
class NoOptions:
    """For what has none."""


@dataclass(frozen=True)
class Option:
    """Something a person can choose.

    Attributes:
        name: of the field.
        label: what it is called in the window, and in the help of the command line.
        limits: of a number: lowest and highest, both allowed.
        choices: of a choice: the texts of which it is one.
    """

    name: str
    label: str
    kind: OptionKind
    default: OptionValue
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> OptionValue:
        """Read a typed value; a switch is yes or no.

        Raises:
            OptionError: it is none that can be chosen.
        """
        value: OptionValue = text
        try:
            if self.kind == "switch":
                value = _SWITCH[text.strip().lower()]
            elif self.kind == "whole number":
                value = int(text)
            elif self.kind == "number":
                value = float(text)
        except (KeyError, ValueError) as exc:
            raise self._refusal(text) from exc
        return self.checked(value)

    def checked(self, value: object) -> OptionValue:
        """Return a value of the option's own type.

        Raises:
            OptionError: it is of another type, beyond the limits, or none of the choices.
        """
        wanted = type(self.default)
        if wanted is float and type(value) is int:
            value = float(value)
        if type(value) is not wanted:
            raise self._refusal(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            lowest, highest = self.limits or (-math.inf, math.inf)
            if not math.isfinite(value) or not lowest <= value <= highest:
                raise self._refusal(value)
        if self.choices and value not in self.choices:
            raise self._refusal(value)
        assert isinstance(value, bool | int | float | str)
        return value

    @property
    def allowed(self) -> str:
        """What can be chosen, in words."""
        if self.kind == "switch":
            return "yes or no"
        if self.kind == "choice":
            return " or ".join(self.choices)
        if self.limits is None:
            return f"a {self.kind}"
        return f"a {self.kind} from {self.limits[0]:g} to {self.limits[1]:g}"

    def shown(self, value: OptionValue) -> str:
        """Write a value as `read` takes it."""
        if self.kind == "switch":
            return "yes" if value else "no"
        return f"{value:g}" if self.kind == "number" else str(value)

    def _refusal(self, value: object) -> OptionError:
        return OptionError(f"{self.label}: {value!r} is not {self.allowed}")


def option(
    default: OptionValue,
    label: str,
    *,
    limits: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Make a field of a dataclass of options; what kind it is follows from its default."""
    kind = "choice" if choices else _KINDS[type(default)]
    metadata = {"label": label, "kind": kind, "limits": limits, "choices": choices}
    return field(default=default, metadata=metadata)


def options_of(options: type) -> tuple[Option, ...]:
    """List what can be chosen in a dataclass of options, in its order."""
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(options)
    return tuple(
        Option(name=each.name, default=each.default, **each.metadata)  # type: ignore[arg-type]
        for each in fields
    )


def build_options(options: type[Built], values: Mapping[str, object]) -> Built:
    """Make a dataclass of options from what was chosen; the rest is at its default.

    Raises:
        OptionError: there is no such option, or a value can't be chosen.
    """
    return options(**checked_values(options_of(options), values))


def checked_values(
    options: Iterable[Option], values: Mapping[str, object]
) -> dict[str, OptionValue]:
    """Return values of options, each of its option's own type.

    Raises:
        OptionError: there is no such option, or a value can't be chosen.
    """
    known = {each.name: each for each in options}
    for name in values:
        if name not in known:
            raise OptionError(f"there is no option {name!r}; there is {', '.join(known) or 'none'}")
    return {name: known[name].checked(value) for name, value in values.items()}
