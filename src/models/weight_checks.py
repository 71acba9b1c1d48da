"""Files of weights are examined before they are read: what is no weights is not unpacked.

Reading a file of a few megabytes in good faith can take all memory or minutes: a header of a
million tensors, a zip that unpacks to a thousand times its size, a pickle of a hundred million
steps. Weights of a model are a few hundred tensors, and are not packed.
"""

from __future__ import annotations

import pickletools
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import torch

from src.errors import CheckpointError

# Meta's largest SAM has 594 tensors, a header of 60 KB and a pickle of 30,000 steps.
MOST_ENTRIES = 20_000
MOST_HEADER_BYTES = 4 << 20
MOST_PICKLE_BYTES = 16 << 20
MOST_STEPS = 500_000
# Before zip files, torch wrote five pickles and then the tensors' bytes.
PICKLES = 5
ZIP_END = b"PK\5\6"


def examine(path: Path, is_safetensors: bool) -> None:
    """Check that a file can be read in reasonable time and memory.

    Raises:
        CheckpointError: it can't, or holds something else than the weights of a model.
        OSError, ValueError, struct.error, zipfile.BadZipFile: it is damaged.
    """
    with path.open("rb") as stream:
        if is_safetensors:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > MOST_HEADER_BYTES:
                raise CheckpointError(
                    path, f"its header of {length:,} bytes is larger than any model's"
                )
        elif stream.read(4).startswith(b"PK"):
            _examine_zip(path, stream)
        else:
            stream.seek(0)
            _examine_pickles(path, stream, PICKLES)


def _examine_zip(path: Path, stream: IO[bytes]) -> None:
    """Check that the parts of a zip are few and as large as what they fill in it."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - (1 << 16) - 22))
    end = stream.read()
    at = end.rfind(ZIP_END)
    if at < 0:
        raise ValueError("the end of the zip is missing")
    (entries,) = struct.unpack_from("<H", end, at + 10)
    if entries > MOST_ENTRIES:  # said here, too, before a list of them is made
        raise CheckpointError(path, f"{entries:,} parts are more than any model has")
    with zipfile.ZipFile(stream) as parts:
        infos = parts.infolist()
        if any(info.filename.endswith("/constants.pkl") for info in infos):
            raise CheckpointError(
                path,
                "a TorchScript archive, which holds code, and that is never run; get the weights "
                "as .safetensors or .bin",
            )
        packed = [info for info in infos if info.compress_type != zipfile.ZIP_STORED]
        if packed or sum(info.file_size for info in infos) > size:
            raise CheckpointError(
                path, "its parts are packed, as no weights are: it may be made to fill the memory"
            )
        for info in infos:
            if info.filename.endswith(".pkl"):
                if info.file_size > MOST_PICKLE_BYTES:
                    raise CheckpointError(path, "its list of tensors is larger than any model's")
                with parts.open(info) as pickled:
                    _examine_pickles(path, pickled, 1)


def _examine_pickles(path: Path, stream: IO[bytes], count: int) -> None:
    """Check that pickles that follow each other take few steps; nothing of them is run."""
    steps = 0
    for _ in range(count):
        for _ in pickletools.genops(stream):
            steps += 1
            if steps > MOST_STEPS:
                raise CheckpointError(
                    path, f"it takes more than {MOST_STEPS:,} steps to read: more than any model"
                )


def check_tensors(tensors: Iterable[torch.Tensor], path: Path) -> None:
    """Check that tensors are plain numbers in memory.

    Raises:
        CheckpointError: one is sparse, quantised, or not there at all.
    """
    for tensor in tensors:
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            raise CheckpointError(path, "holds something else than the weights of a model")


def check_finite(model: torch.nn.Module, path: Path) -> None:
    """Check that a model's weights are finite; with others its answers would not be.

    Raises:
        CheckpointError: some are not.
    """
    for name, value in model.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise CheckpointError(
                path, f"the weights {name} are not all numbers (NaN or infinite); get it again"
            )
