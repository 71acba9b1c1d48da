"""The image encoder of the starter SAM, from segment_anything's own."""

from __future__ import annotations

from typing import Any, cast

import torch
from segment_anything.modeling import ImageEncoderViT
from torch import nn
from torch.nn import functional


class ConvStem(nn.Module):
    """Patches by four strided convolutions instead of one (Xiao et al. 2021).

    A small transformer learns edges from far fewer pictures this way. Takes and gives what
    segment_anything's PatchEmbed does: (B, 3, H, W) -> (B, H / 16, W / 16, width) float32.
    """

    def __init__(self, channels: tuple[int, ...], width: int, refine: tuple[int, ...] = ()) -> None:
        """Build the stem.

        Args:
            channels: after each convolution but the last.
            width: after the last.
            refine: residual blocks after each; none where it is empty.
        """
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for after in channels:
            layers += [
                nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
            before = after
        layers.append(nn.Conv2d(before, width, 3, stride=2, padding=1))
        self.layers = nn.Sequential(*layers)
        self.refined = nn.ModuleList(
            nn.Sequential(*[_ResidualBlock(after) for _ in range(count)])
            for after, count in zip(channels, refine, strict=False)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) -> (B, h, w, width)."""
        return self.patches(self.stages(images)[-1])

    def stages(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Return what each convolution but the last gives, refined: strides of 2, 4, 8, ..."""
        seen, found = images, []
        for index in range(len(self.layers) // 3):
            seen = self.layers[3 * index : 3 * index + 3](seen)
            if index < len(self.refined):
                seen = self.refined[index](seen)
            found.append(seen)
        return found

    def patches(self, seen: torch.Tensor) -> torch.Tensor:
        """Project the last stage to (B, h, w, width)."""
        return cast(torch.Tensor, self.layers[-1](seen)).permute(0, 2, 3, 1)


def positions_on(positions: torch.Tensor, side: int) -> torch.Tensor:
    """Learned positions (1, P, P, C) on a grid of another side (Dosovitskiy et al. 2021)."""
    if positions.shape[1] == side:
        return positions
    there = functional.interpolate(
        positions.permute(0, 3, 1, 2), (side, side), mode="bilinear", align_corners=False
    )
    return there.permute(0, 2, 3, 1)


def _silent(layer: nn.Conv2d) -> nn.Conv2d:
    """Make a layer that gives zeros at first, so that weights without it are its exact start."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(cast(torch.Tensor, layer.bias))
    return layer


class _ResidualBlock(nn.Module):
    """Two convolutions around which what comes in is led (He et al. 2016).

    The second starts at zero, so that a block put into a trained stem changes nothing at first.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
        nn.init.zeros_(cast(nn.BatchNorm2d, self.layers[-1]).weight)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        return functional.relu(seen + self.layers(seen))


class DetailedEncoder(ImageEncoderViT):
    """Segment Anything's image encoder with a way around it for what is fine.

    Sixteen pixels a side are one place of the transformer; edges within are told from the stem
    alone. So what the stem saw there is added to the embedding, as U-Net does (Ronneberger et
    al. 2015). Gives (B, out_chans, G, G) float32 as ever, and where it is sharp the details for
    a DetailedMaskDecoder after it. Of what the stem saw an edge within a thing and its outline
    look alike; so what the transformer found is led back to it, from coarse to fine (Lin et al.
    2017).
    """

    def __init__(
        self,
        stem: ConvStem,
        channels: tuple[int, ...],
        *,
        sharp: bool,
        top_down: bool,
        positions: int,
        **sizes: Any,
    ) -> None:
        """Build the encoder.

        Args:
            stem: of at least two stages; takes the place of the patches.
            channels: of the stem.
            sharp: whether details for the mask decoder come after the embedding; the stem's
                last two stages have strides of 4 and 8 then.
            top_down: whether these details know what the transformer found; needs sharp.
            positions: side of the grid of learned positions, interpolated to the picture's.
            sizes: of ImageEncoderViT.
        """
        super().__init__(**sizes)
        if top_down and not sharp:
            raise ValueError("top_down needs sharp: nothing else reads what is led back")
        self.patch_embed = stem
        self.pos_embed = nn.Parameter(torch.zeros(1, positions, positions, sizes["embed_dim"]))
        depth = len(channels)
        self.detail = nn.ModuleList()
        for index in (depth - 2, depth - 1):
            side = 2 ** (depth - index)
            self.detail.append(_silent(nn.Conv2d(channels[index], sizes["out_chans"], side, side)))
        self.led_back, self.merged = nn.ModuleList(), nn.ModuleList()
        above = sizes["out_chans"]
        for stage in reversed(channels[-2:]) if top_down else ():
            self.led_back.append(_silent(nn.Conv2d(above, stage, 1)))
            self.merged.append(_ResidualBlock(stage))
            above = stage
        # What is finer has fewer channels, as the decoder's enlarged pictures do.
        self.sharp = nn.ModuleList()
        for index, part in ((depth - 1, 4), (depth - 2, 8)) if sharp else ():
            fewer = sizes["out_chans"] // part
            self.sharp.append(_silent(nn.Conv2d(channels[index], fewer, 3, padding=1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) -> (B, out_chans, G, G), or (B, 4 * out_chans, G, G) where it is sharp."""
        stages, seen = self.begin(x)
        for block in self.blocks:
            seen = block(seen)
        return self.finish(stages, seen)

    def begin(self, x: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return what comes before the transformer: the stem's stages, its places (B, G, G, C)."""
        stages = self.patch_embed.stages(x)
        seen = self.patch_embed.patches(stages[-1])
        return stages, seen + positions_on(cast(torch.Tensor, self.pos_embed), seen.shape[1])

    def finish(self, stages: list[torch.Tensor], seen: torch.Tensor) -> torch.Tensor:
        """Return what comes after it."""
        found = self.neck(seen.permute(0, 3, 1, 2))
        for layer, stage in zip(self.detail, stages[-2:], strict=True):
            found = found + layer(stage)
        details = [
            functional.pixel_unshuffle(layer(stage), factor)
            for layer, stage, factor in zip(
                self.sharp, self._fine(found, stages), (2, 4), strict=False
            )
        ]
        return torch.cat([found, *details], dim=1)

    def _fine(self, found: torch.Tensor, stages: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return what is seen at strides of 8 and 4, knowing what was found above."""
        above, fine = found, stages[:-3:-1]
        for index, (lead, merge) in enumerate(zip(self.led_back, self.merged, strict=True)):
            led = functional.interpolate(lead(above), scale_factor=2, mode="bilinear")
            above = fine[index] = merge(fine[index] + led)
        return fine
