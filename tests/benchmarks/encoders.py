"""Ways to run SAM's image encoder on a CPU: python -m tests.benchmarks.encoders

Meta's ViT-B with random weights on a picture of 1024x1024. Each way runs in a process of its own,
so that its peak memory is its own. They take turns, two pictures a turn, and of each the best
counts: other work on the machine weighs on all alike. `error` is the RMS of the difference from
Meta's encoder in 32 bits, as a share of the RMS of what that one gives.

The last three need packages that the application does without:
pip install onnx onnxscript onnxruntime openvino
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from segment_anything import sam_model_registry
from segment_anything.modeling import ImageEncoderViT
from segment_anything.modeling.image_encoder import Attention, get_rel_pos
from torch.nn import functional

from src.config import APPLICATION_FOLDER
from src.models.image_encoder import encode_pixels

Encode = Callable[[torch.Tensor], Any]

REFERENCE = "Meta's, float32"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=list(WAYS), help="beside the reference")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    if chosen.one:
        measure_one(chosen.one[0], Path(chosen.one[1]), chosen.threads)
        return
    ways = [way for way in WAYS if way == REFERENCE or way in (chosen.only or WAYS)]
    told: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(chosen.rounds):
            for way in ways:
                if way not in missing:
                    one = in_a_process(way, folder, chosen.threads)
                    if isinstance(one, str):
                        missing[way] = one
                    else:
                        told[way].append(one)
                    print(way, one, file=sys.stderr)
        reference = np.load(Path(folder) / f"{REFERENCE}.npy")
        print(f"{'':24}{'CPU s':>8}{'ratio':>8}{'peak MB':>9}{'error':>10}")
        slowest = min(one["cpu"] for one in told[REFERENCE])
        for way in ways:
            if way in missing:
                print(f"{way:24}  {missing[way]}")
                continue
            cpu = min(one["cpu"] for one in told[way])
            peak_mb = max(one["peak_mb"] for one in told[way])
            difference = np.load(Path(folder) / f"{way}.npy") - reference
            error = np.sqrt(np.mean(difference**2) / np.mean(reference**2))
            print(f"{way:24}{cpu:8.2f}{slowest / cpu:7.2f}x{peak_mb:9,.0f}{error:10.1e}")


def in_a_process(way: str, folder: str, threads: int) -> dict[str, float] | str:
    """Measure one way, or say why it can't be."""
    lacking = [name for name in WAYS[way][1] if importlib.util.find_spec(name) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    if "compile" in way and shutil.which("c++") is None and shutil.which("g++") is None:
        return "no C++ compiler"
    command = [sys.executable, "-m", "tests.benchmarks.encoders", "--threads", str(threads)]
    done = subprocess.run(
        [*command, "--one", way, folder],
        cwd=APPLICATION_FOLDER,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def measure_one(way: str, folder: Path, threads: int) -> None:
    """Encode twice, of which the better counts; prints JSON and leaves the embedding."""
    encoder = vit_b()
    pixels = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        encode = WAYS[way][0](encoder, folder, threads)
        taken = []
        for _ in range(2):
            start = time.process_time()
            embedding = encode(pixels)
            taken.append(time.process_time() - start)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.save(folder / f"{way}.npy", torch.as_tensor(embedding).float().numpy())
    print(json.dumps({"cpu": min(taken), "peak_mb": peak_mb}))


def vit_b() -> ImageEncoderViT:
    torch.manual_seed(0)
    encoder = sam_model_registry["vit_b"](checkpoint=None).eval().image_encoder
    for name, parameter in encoder.named_parameters():
        if "pos" in name:  # positions start at zero, and would count for nothing
            torch.nn.init.normal_(parameter, std=0.3)
    return encoder


def metas(encoder: ImageEncoderViT, *_: Any) -> Encode:
    return encoder


def channels_last(encoder: ImageEncoderViT, *_: Any) -> Encode:
    encoder.to(memory_format=torch.channels_last)
    return lambda pixels: encoder(pixels.to(memory_format=torch.channels_last))


def compiled(encoder: ImageEncoderViT, *_: Any) -> Encode:
    return torch.compile(encoder)


def with_sdpa(encoder: ImageEncoderViT, *_: Any) -> Encode:
    Attention.forward = sdpa_attention
    return encoder


def sdpa_attention(attention: Attention, seen: torch.Tensor) -> torch.Tensor:
    """Meta's forward with its relative positions as an additive mask."""
    batch, height, width, _ = seen.shape
    split = attention.qkv(seen).reshape(batch, height * width, 3, attention.num_heads, -1)
    queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
    grid = queries.unflatten(2, (height, width))
    down = torch.einsum("bnhwc,hkc->bnhwk", grid, get_rel_pos(height, height, attention.rel_pos_h))
    along = torch.einsum("bnhwc,wkc->bnhwk", grid, get_rel_pos(width, width, attention.rel_pos_w))
    mask = (down[..., None] + along[..., None, :]).flatten(4).flatten(2, 3)
    told = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    return torch.as_tensor(attention.proj(told.transpose(1, 2).reshape(seen.shape)))


def ours(encoder: ImageEncoderViT, *_: Any) -> Encode:
    return lambda pixels: encode_pixels(encoder, pixels)


def in_bf16(way: Callable[..., Encode]) -> Callable[..., Encode]:
    """A way under autocast, as the application computes in 16 bits."""

    def prepared(*arguments: Any) -> Encode:
        encode = way(*arguments)

        def encode_in_bf16(pixels: torch.Tensor) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return encode(pixels)

        return encode_in_bf16

    return prepared


def bf16_weights(encoder: ImageEncoderViT, *_: Any) -> Encode:
    encoder.bfloat16()
    return lambda pixels: encoder(pixels.bfloat16())


def exported(encoder: ImageEncoderViT, folder: Path) -> Path:
    """The encoder as an ONNX file: made in a process of its own, and once."""
    path = folder / "encoder.onnx"
    if not path.exists():
        program = (
            "import sys, torch; from tests.benchmarks.encoders import vit_b; "
            "torch.onnx.export(vit_b(), (torch.zeros(1, 3, 1024, 1024),), sys.argv[1])"
        )
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            cwd=APPLICATION_FOLDER,
            stdout=sys.stderr,
            check=True,
        )
    return path


def onnx_runtime(encoder: ImageEncoderViT, folder: Path, threads: int) -> Encode:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        exported(encoder, folder), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels.numpy()})[0]


def openvino(precision: str) -> Callable[..., Encode]:
    def prepared(encoder: ImageEncoderViT, folder: Path, threads: int) -> Encode:
        import openvino

        hints = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision}
        model = openvino.compile_model(exported(encoder, folder), "CPU", hints)
        return lambda pixels: model(pixels.numpy())[0]

    return prepared


_EXPORT = ("onnx", "onnxscript")
# What prepares a way, and the packages it needs beside the application's.
WAYS: dict[str, tuple[Callable[..., Encode], tuple[str, ...]]] = {
    REFERENCE: (metas, ()),
    "channels_last": (channels_last, ()),
    "torch.compile": (compiled, ()),
    "SDPA": (with_sdpa, ()),
    "ours": (ours, ()),
    "bf16 autocast": (in_bf16(metas), ()),
    "bf16 weights": (bf16_weights, ()),
    "bf16 torch.compile": (in_bf16(compiled), ()),
    "bf16 SDPA": (in_bf16(with_sdpa), ()),
    "bf16 ours": (in_bf16(ours), ()),
    "ONNX Runtime": (onnx_runtime, (*_EXPORT, "onnxruntime")),
    "OpenVINO": (openvino("f32"), (*_EXPORT, "openvino")),
    "OpenVINO bf16": (openvino("bf16"), (*_EXPORT, "openvino")),
}


if __name__ == "__main__":
    main()
