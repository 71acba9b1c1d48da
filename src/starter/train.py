"""Makes the starter models from nothing: `python -m src.starter.train`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from src.config import APPLICATION_FOLDER, STARTER_FOLDER
from src.errors import CheckpointError
from src.starter.training import TrainOptions, keep_freed_memory

DEFAULT_OUTPUT = STARTER_FOLDER
DEFAULT_WORK = APPLICATION_FOLDER / "training"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one or both models.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m src.starter.train", description=__doc__)
    parser.add_argument("--only", choices=("clip", "sam"), help="train one of the two")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--steps",
        type=int,
        default=5000,
        help="length of each training; SAM's has two such stages, and a short one",
    )
    parser.add_argument("--minutes", type=float, help="end each stage by the clock instead")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT, help="gets the weights")
    parser.add_argument("--work", type=Path, default=DEFAULT_WORK, help="gets checkpoints")
    parser.add_argument("--workers", type=int, default=1, help="drawing processes")
    parser.add_argument("--threads", type=int, help="threads of torch")
    parser.add_argument("--fresh", action="store_true", help="forget a checkpoint")
    parser.add_argument(
        "--start", type=Path, help="folder of weights to start from; SAM's first stage is left out"
    )
    chosen = parser.parse_args(arguments)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    cv2.setNumThreads(1)
    options = TrainOptions(
        output=chosen.output,
        work=chosen.work,
        seed=chosen.seed,
        steps=chosen.steps,
        minutes=chosen.minutes,
        workers=chosen.workers,
        device="cuda" if torch.cuda.is_available() else "cpu",
        fresh=chosen.fresh,
        start=chosen.start,
    )
    try:
        if chosen.only != "clip":
            from src.starter.train_sam import train_sam

            train_sam(options)
        if chosen.only != "sam":
            from src.starter.train_clip import train_clip

            train_clip(options)
    except CheckpointError as exc:  # what --start names
        parser.error(str(exc))
    return 0


if __name__ == "__main__":
    keep_freed_memory()
    raise SystemExit(main())
