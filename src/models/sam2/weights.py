"""Which of Meta's SAM 2 models weights are of, by their keys and shapes."""

from __future__ import annotations

from dataclasses import dataclass

from src.models.checkpoints import StateDict

_STEM = "image_encoder.trunk.patch_embed.proj.weight"
_BLOCKS = "image_encoder.trunk.blocks."
# What SAM 2.1 has learned that SAM 2.0 does not know.
_SINCE_2_1 = "no_obj_embed_spatial"


@dataclass(frozen=True)
class Sam2Size:
    """One of the sizes that Meta has published.

    Attributes:
        name: as Meta calls the file, without its suffix.
        label: what a person reads.
        config: its file in the package, in configs/sam2.1.
        width: channels of the image encoder's first stage.
        depth: its blocks.
    """

    name: str
    label: str
    config: str
    width: int
    depth: int


# The smallest first.
SIZES = (
    Sam2Size("sam2.1_hiera_tiny", "SAM 2.1 tiny", "sam2.1_hiera_t.yaml", 96, 12),
    Sam2Size("sam2.1_hiera_small", "SAM 2.1 small", "sam2.1_hiera_s.yaml", 96, 16),
    Sam2Size("sam2.1_hiera_base_plus", "SAM 2.1 base+", "sam2.1_hiera_b+.yaml", 112, 24),
    Sam2Size("sam2.1_hiera_large", "SAM 2.1 large", "sam2.1_hiera_l.yaml", 144, 48),
)


def size_of(state: StateDict) -> Sam2Size | None:
    """Return the size whose image encoder has these weights; None: they are no SAM 2's."""
    stem = state.get(_STEM)
    if stem is None or stem.dim() != 4:
        return None
    blocks = {key[len(_BLOCKS) :].split(".")[0] for key in state if key.startswith(_BLOCKS)}
    found = stem.shape[0], len(blocks)
    return next((size for size in SIZES if (size.width, size.depth) == found), None)


def is_2_1(state: StateDict) -> bool:
    """Return whether weights of a SAM 2 are those of version 2.1."""
    return _SINCE_2_1 in state
