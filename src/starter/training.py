"""What both trainings share: the schedule, averaged weights, checkpoints that survive a kill."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

_SAVE_EVERY_S = 60.0


@dataclass(frozen=True)
class TrainOptions:
    """How a training runs.

    Attributes:
        output: folder that gets the weights.
        work: folder for checkpoints.
        seed: of the weights, the scenes and the batches.
        steps: length of the training.
        minutes: when given, the training ends by the clock instead; time before a
            restart counts.
        workers: drawing processes.
        device: of torch.
        fresh: forget a checkpoint.
        start: folder of weights to begin with; a SAM's may be of any image size.
    """

    output: Path
    work: Path
    seed: int = 0
    steps: int = 5000
    minutes: float | None = None
    workers: int = 1
    device: str = "cpu"
    fresh: bool = False
    start: Path | None = None


def keep_freed_memory() -> None:
    """Have glibc keep what was freed for the next step instead of giving it back.

    A step frees gigabytes and asks for them again; where each large array is mapped anew the
    kernel clears its pages, and a step of SAM's last stage took twice as long on a CPU. Does
    nothing with another C library. For a process that does nothing but train.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return
    trim_threshold, top_pad, mmap_max, arena_max = -1, -2, -4, -8
    for setting, value in (
        (arena_max, 1),
        (mmap_max, 0),
        (trim_threshold, -1),  # never
        (top_pad, 512 * 2**20),
    ):
        libc.mallopt(setting, value)


class AveragedWeights:
    """An exponential average of a model's weights, smoother than any one step's."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self._updates = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model's present weights."""
        self._updates += 1
        decay = min(self._decay, self._updates / (self._updates + 10))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)

    def as_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"state": self.state, "updates": self._updates}

    def restore(self, saved: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.state, self._updates = saved["state"], saved["updates"]


class Run:
    """The loop of a training: counts steps, sets the learning rate, saves and resumes."""

    def __init__(
        self,
        name: str,
        options: TrainOptions,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        average: AveragedWeights,
        peak: float,
        fall_from: float = 0.65,
    ) -> None:
        self._name, self._options = name, options
        self._peak, self._fall_from = peak, fall_from
        self._model, self._optimizer, self.average = model, optimizer, average
        self._path = options.work / f"{name}.pt"
        self.step, self._spent_s = 0, 0.0
        self._since = time.monotonic()
        if self._path.is_file() and not options.fresh:
            saved = torch.load(self._path, map_location=options.device, weights_only=True)
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            average.restore(saved["average"])
            self.step, self._spent_s = saved["step"], saved["spent_s"]

    @property
    def spent_s(self) -> float:
        """Seconds of training so far, those before a restart included."""
        return self._spent_s + time.monotonic() - self._since

    @property
    def progress(self) -> float:
        """How much of the training is done, 0..1."""
        if self._options.minutes is not None:
            return min(1.0, self.spent_s / (60 * self._options.minutes))
        return min(1.0, self.step / self._options.steps)

    def steps(self) -> Iterator[tuple[int, tqdm[Any]]]:
        """Each step still to do, with the progress bar to write to."""
        saved_at = time.monotonic()
        bar = tqdm(total=100, desc=self._name, mininterval=5.0, bar_format=_BAR)
        while self.progress < 1.0:
            bar.n = round(100 * self.progress, 1)
            rate = self._rate(self.progress)
            for group in self._optimizer.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)
            yield self.step, bar
            self.average.update(self._model)
            self.step += 1
            if time.monotonic() - saved_at > _SAVE_EVERY_S:
                self.save()
                saved_at = time.monotonic()
        bar.n = 100
        bar.close()
        self.save()

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        self._options.work.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".part")
        torch.save(
            {
                "model": self._model.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "average": self.average.as_dict(),
                "step": self.step,
                "spent_s": self.spent_s,
            },
            temporary,
        )
        os.replace(temporary, self._path)

    def _rate(self, progress: float) -> float:
        """A rise, a plateau and a straight fall (Zhai et al. 2022).

        Unlike a cosine it can be drawn out at any time before the fall.
        """
        rise, fall = 0.06, self._fall_from
        if progress < rise:
            return self._peak * (0.05 + 0.95 * progress / rise)
        if progress < fall:
            return self._peak
        return self._peak * max(0.01, (1 - progress) / (1 - fall))


_BAR = "{desc} {n:5.1f}% |{bar:20}| {elapsed} {postfix}"


def weight_groups(
    model: nn.Module, added: Collection[str] = (), scale: float = 1.0
) -> list[dict[str, Any]]:
    """Split what is trained for the optimizer: matrices decay, vectors do not.

    Args:
        added: names of parameters that are new to a trained model.
        scale: how many times faster than the others these learn.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((parameter.ndim > 1, name in added), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": 0.05 if is_matrix else 0.0,
            "scale": scale if is_added else 1.0,
        }
        for (is_matrix, is_added), parameters in groups.items()
    ]


def show_means(
    bar: tqdm[Any], step: int, running: dict[str, float], shown: dict[str, float]
) -> None:
    """Take a step's figures into their running means, and show those beside the bar."""
    for name, value in shown.items():
        running[name] = value if step == 0 else 0.98 * running.get(name, value) + 0.02 * value
    bar.set_postfix(step=step, **{k: round(v, 3) for k, v in running.items()}, refresh=False)
    bar.update(0)
