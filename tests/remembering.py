"""What the bundled models make of a picture is made once in a run of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.promptable_sam import PromptableSam
from tests.remembered_masks import embedding_once, remembering
from tests.remembered_vectors import remembering_images, remembering_texts


def remember_in(folder: Path, patch: Callable[[Any, str, Any], None]) -> None:
    """Have this process cut and embed what no other one has.

    Args:
        folder: keeps what the bundled weights made, for the processes of a run.
        patch: sets an attribute, as setattr does.
    """
    patch(MaskGenerator, "masks", remembering(MaskGenerator.masks, folder))
    patch(PromptableSam, "embed", embedding_once(PromptableSam.embed, folder))
    patch(ClipEncoder, "encode_image", remembering_images(ClipEncoder.encode_image, folder))
    patch(ClipEncoder, "encode_text", remembering_texts(ClipEncoder.encode_text, folder))
