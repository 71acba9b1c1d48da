"""A step of SAM's training: pictures turned at random, clicks on them, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam

from src.starter.regions import LabelledPicture, sample_clicks

# Pairs of places are compared, so their number is kept apart from the size of the grid.
_SPOTS = 192
# Cells on either side of an edge that belong to the outline.
_EDGE_REACH = 2


@dataclass(frozen=True)
class ClickBatch:
    """One step's material.

    Attributes:
        images: (B, 3, S, S) float32, normalised and padded.
        points: (B, K, 1, 2) float32, in pixels of the padded square.
        masks: (B, K, L, L) float32 in 0..1, the share of each cell that is inside.
        outlines: (B, K, L, L) float32, 1 near an edge of its mask, else and on the padding 0.
        inside: (B, 1, L, L) float32, 0 on the padding.
        cells: (B, M) int64, random places on SAM's grid of G * G.
        cell_regions: (B, M) int64, the regions there.
        spots: (B, M) int64, random places on the decoder's grid of 4G * 4G.
        spot_regions: (B, M) int64, the regions there.
    """

    images: torch.Tensor
    points: torch.Tensor
    masks: torch.Tensor
    outlines: torch.Tensor
    inside: torch.Tensor
    cells: torch.Tensor
    cell_regions: torch.Tensor
    spots: torch.Tensor
    spot_regions: torch.Tensor


def make_batch(
    rng: np.random.Generator, pictures: list[LabelledPicture], sam: Sam, clicks: int, side: int
) -> ClickBatch:
    """Turn and mirror pictures at random, click on them, pad them as SAM does.

    Args:
        rng: chooses turns and clicks.
        pictures: B of them.
        sam: says size and normalisation.
        clicks: K, on each picture.
        side: L, of the masks to compare.
    """
    size = int(sam.image_encoder.img_size)
    count = len(pictures)
    images = np.zeros((count, size, size, 3), np.float32)
    points = np.zeros((count, clicks, 1, 2), np.float32)
    masks, outlines = np.zeros((2, count, clicks, side, side), np.float32)
    inside = np.zeros((count, 1, side, side), np.float32)
    cells, cell_regions, spots, spot_regions = np.zeros((4, count, _SPOTS), np.int64)
    patch = size // sam.prompt_encoder.image_embedding_size[0]
    near = np.ones((2 * _EDGE_REACH + 1,) * 2, np.uint8)
    mean, std = (
        sam.pixel_mean.flatten().numpy(force=True),
        sam.pixel_std.flatten().numpy(force=True),
    )
    for row, picture in enumerate(pictures):
        picture = _turned(rng, picture)
        height, width = picture.labels.shape
        images[row, :height, :width] = (picture.image_rgb - mean) / std
        points[row, :, 0], found = sample_clicks(rng, picture, clicks)
        padded = np.zeros((size, size), np.float32)
        padded[:height, :width] = 1
        inside[row, 0] = cv2.resize(padded, (side, side), interpolation=cv2.INTER_NEAREST)
        for column, mask in enumerate(found):
            padded[:height, :width] = mask
            masks[row, column] = cv2.resize(padded, (side, side), interpolation=cv2.INTER_AREA)
            steps = cv2.morphologyEx(masks[row, column], cv2.MORPH_GRADIENT, near)
            outlines[row, column] = (steps > 0.5) * inside[row, 0]
        cells[row], cell_regions[row] = _spots(rng, picture.labels, patch, size)
        spots[row], spot_regions[row] = _spots(rng, picture.labels, patch // 4, size)
    device = sam.device
    return ClickBatch(
        torch.from_numpy(images).permute(0, 3, 1, 2).to(device),
        torch.from_numpy(points).to(device),
        torch.from_numpy(masks).to(device),
        torch.from_numpy(outlines).to(device),
        torch.from_numpy(inside).to(device),
        torch.from_numpy(cells).to(device),
        torch.from_numpy(cell_regions).to(device),
        torch.from_numpy(spots).to(device),
        torch.from_numpy(spot_regions).to(device),
    )


def _spots(
    rng: np.random.Generator, labels: np.ndarray, cell: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Random places on a grid of `cell` pixels over the padded square, and the regions there."""
    height, width = labels.shape
    rows = rng.integers(height // cell, size=_SPOTS)
    columns = rng.integers(width // cell, size=_SPOTS)
    regions = labels[rows * cell + cell // 2, columns * cell + cell // 2]
    return rows * (size // cell) + columns, regions


def _turned(rng: np.random.Generator, picture: LabelledPicture) -> LabelledPicture:
    image, labels = picture.image_rgb, picture.labels
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    if rng.random() < 0.5:
        image, labels = image[::-1], labels[::-1]
    if rng.random() < 0.5:
        image, labels = image.transpose(1, 0, 2), labels.T
    if rng.random() < 0.3:
        image = image[..., rng.permutation(3)]
    return LabelledPicture(
        np.ascontiguousarray(image), np.ascontiguousarray(labels), picture.parents,
        picture.whole_from,
    )  # fmt: skip
