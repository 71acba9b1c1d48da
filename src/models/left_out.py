"""Leaves a package out that others import and hardly use.

torchvision and timm import torch's compiler to ask one question of it and to mark functions that
it should pass over. Nothing here is compiled, and importing it takes as long as all else of torch.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

Answers = Mapping[str, object]


def _disable(fn: Callable[..., Any] | None = None, *_: object, **__: object) -> Any:
    """Mark a function as one that is not to be compiled: nothing is."""
    return (lambda function: function) if fn is None else fn


# What is asked of the compiler while torchvision and timm are imported.
COMPILER: Mapping[str, Answers] = {
    "torch._dynamo": {"disable": _disable},
    "torch._dynamo.utils": {"is_compile_supported": lambda _device: False},
}


class _StandIn(ModuleType):
    """Gives the answers that are known; asked for anything else, it gives way to the real one."""

    def __init__(self, name: str, answers: Answers, give_way: Callable[[], None]) -> None:
        super().__init__(name)
        self.__dict__.update(answers)
        self._give_way = give_way

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # who looks through all modules asks for the likes of __file__
            raise AttributeError(name)
        self._give_way()
        return getattr(importlib.import_module(self.__name__), name)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        real = sys.modules.get(self.__name__)
        if real is not None and real is not self:  # a module of it, whose import began here
            setattr(real, name, value)


class LeftOut(MetaPathFinder, Loader):
    """Finds stand-ins in place of a package and modules of it, once it is in sys.meta_path."""

    def __init__(self, answers: Mapping[str, Answers]) -> None:
        """Make the stand-ins.

        Args:
            answers: for each module, the package first, what it is asked for by name.
        """
        self._package = next(iter(answers))
        self._modules = {
            name: _StandIn(name, known, self._give_way) for name, known in answers.items()
        }

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:
        if fullname in self._modules:
            return ModuleSpec(fullname, self, is_package=fullname == self._package)
        if fullname.startswith(f"{self._package}."):
            self._give_way()
            package = importlib.import_module(self._package)
            return PathFinder.find_spec(fullname, package.__path__)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        pass  # it is whole

    def _give_way(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name, module in self._modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
