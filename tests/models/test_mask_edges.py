"""Masks are fitted to the edges and colours of their picture."""

import cv2
import numpy as np
import pytest

from src.models.mask_edges import MaskEdges
from src.starter.evaluate import iou


def noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 4, image.shape)
    return (image + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture
def star() -> np.ndarray:
    turns = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2, 25, 60)[:, None]
    points = (80, 90) + reach * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    mask = np.zeros((180, 200), np.uint8)
    return cv2.fillPoly(mask, [points.round().astype(np.int32)], 1) > 0


@pytest.fixture
def picture(star: np.ndarray) -> np.ndarray:
    return noisy(np.where(star[..., None], (200, 60, 40), (90, 110, 120)))


def coarse(mask: np.ndarray, cell: int = 15) -> np.ndarray:
    """Logits of a SAM that sees only cells."""
    height, width = mask.shape
    small = cv2.resize(
        mask.astype(np.float32), (width // cell, height // cell), interpolation=cv2.INTER_AREA
    )
    return cv2.resize(8 * small - 4, (width, height))


def test_an_outline_moves_to_the_edge(star: np.ndarray, picture: np.ndarray) -> None:
    logits = coarse(star)
    assert iou(logits > 0, star) < 0.85
    fitted = MaskEdges(picture).fit(logits)
    assert fitted.shape == star.shape
    assert fitted.dtype == np.float32
    assert iou(fitted > 0, star) > 0.97


def test_a_piece_that_was_missed_comes_back(star: np.ndarray, picture: np.ndarray) -> None:
    logits = coarse(star, 4)
    logits[:, 100:] = np.minimum(logits[:, 100:], -1.5)
    assert iou(logits > 0, star) < 0.85
    assert iou(MaskEdges(picture).fit(logits) > 0, star) > 0.93


def test_two_colours_inside_stay_inside(star: np.ndarray) -> None:
    stripes = (np.arange(200) // 10 % 2 == 0)[None, :, None]
    inside = np.where(stripes, (240, 240, 240), (200, 60, 40))
    picture = noisy(np.where(star[..., None], inside, (90, 110, 120)))
    assert iou(MaskEdges(picture).fit(coarse(star)) > 0, star) > 0.95


def test_without_edges_a_mask_stays_as_it_is(star: np.ndarray) -> None:
    logits = coarse(star)
    flat = np.full((*star.shape, 3), 128, np.uint8)
    assert iou(MaskEdges(flat).fit(logits) > 0, logits > 0) > 0.9


@pytest.mark.filterwarnings("error")
def test_what_touches_the_border_and_what_is_tiny_and_what_is_nothing(picture: np.ndarray) -> None:
    edges = MaskEdges(picture)
    everything = np.full(picture.shape[:2], 5, np.float32)
    assert (edges.fit(everything) > 0).all()
    assert not (edges.fit(-everything) > 0).any()
    dot = -everything
    dot[40, 0] = 3
    assert edges.fit(dot)[40, 0] > 0
    assert not np.isnan(edges.fit(dot)).any()


def test_a_picture_smaller_than_the_filter_is_fitted_too() -> None:
    logits = np.array([[4, -4, -4]], np.float32)
    assert np.isfinite(MaskEdges(np.zeros((1, 3, 3), np.uint8)).fit(logits)).all()
