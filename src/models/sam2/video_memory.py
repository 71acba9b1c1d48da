"""SAM 2.1's memory of a video: one thing followed from its mask, frame after frame.

The steps are those of sam2's SAM2VideoPredictor, whose numbers come out. Frames are fed one at a
time, and what is no longer asked for is forgotten, so that the memory does not grow with the video.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from PIL import Image

from src.models.segmenter import Segmenter
from src.models.stopping import ask_before_layers

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_THING = 1  # what the package calls the one thing that is followed


def video_module(segmenter: Segmenter | None) -> torch.nn.Module | None:
    """Return the network of a segmenter that can follow things through videos; None: it can't."""
    module = getattr(getattr(segmenter, "model", None), "module", None)
    can = isinstance(module, torch.nn.Module) and hasattr(module, "propagate_in_video_preflight")
    return module if can else None


class VideoMemory:
    """Follows one thing through the frames of a video (Ravi et al. 2024).

    Attributes:
        reach: what is remembered of a frame is kept while frames so near to it are still to come.
    """

    def __init__(self, module: Any, size_wh: tuple[int, int], frames: int) -> None:
        """Remember nothing yet.

        Args:
            module: see video_module.
            size_wh: of the frames.
            frames: how many there are in all; they are numbered from 0.
        """
        ask_before_layers(module)
        self._module = module
        self._side = int(module.image_size)
        device = next(module.parameters()).device
        self._mean, self._std = (
            torch.tensor(values, device=device).view(3, 1, 1) for values in (_MEAN, _STD)
        )
        remembered = int(module.num_maskmem) * int(module.memory_temporal_stride_for_eval)
        self.reach = max(int(module.max_obj_ptrs_in_encoder), remembered)
        self._start = 0
        # as the package's init_state makes it, whose pictures lie all in one tensor
        self._state: dict[str, Any] = {
            "images": {},
            "num_frames": frames,
            "offload_video_to_cpu": False,
            "offload_state_to_cpu": False,
            "video_height": size_wh[1],
            "video_width": size_wh[0],
            "device": device,
            "storage_device": device,
            "point_inputs_per_obj": {},
            "mask_inputs_per_obj": {},
            "cached_features": {},
            "constants": {},
            "obj_id_to_idx": OrderedDict(),
            "obj_idx_to_id": OrderedDict(),
            "obj_ids": [],
            "output_dict_per_obj": {},
            "temp_output_dict_per_obj": {},
            "frames_tracked_per_obj": {},
        }

    @property
    def remembered(self) -> int:
        """Of how many frames something is kept."""
        return sum(map(len, self._outputs.values()))

    @torch.inference_mode()
    def begin(self, number: int, image_rgb: np.ndarray, mask: np.ndarray) -> None:
        """Take the thing that is to be followed from its mask.

        Args:
            number: of the frame that it is on.
            image_rgb: the frame, (H, W, 3) uint8 RGB.
            mask: (H, W) bool.
        """
        self._start = number
        self._show(number, image_rgb)
        self._module.add_new_mask(self._state, number, _THING, torch.from_numpy(mask.copy()))
        self._module.propagate_in_video_preflight(self._state)
        self._hide()

    @torch.inference_mode()
    def follow(self, number: int, image_rgb: np.ndarray) -> np.ndarray:
        """Find the thing in the next frame: the one after or before the last that was seen.

        Frames come in order from the beginning to one end, then from the beginning to the other.

        Returns:
            (H, W) bool; nothing where it is not in sight.
        """
        self._show(number, image_rgb)
        output, masks = self._module._run_single_frame_inference(
            inference_state=self._state,
            output_dict=self._outputs,
            frame_idx=number,
            batch_size=1,
            is_init_cond_frame=False,
            point_inputs=None,
            mask_inputs=None,
            reverse=number < self._start,
            run_mem_encoder=True,
        )
        self._outputs["non_cond_frame_outputs"][number] = output
        _, logits = self._module._get_orig_video_res_output(self._state, masks)
        self._hide()
        self._forget(number)
        mask: np.ndarray = (logits[0, 0] > 0).cpu().numpy()
        return mask

    @property
    def _outputs(self) -> dict[str, dict[int, Any]]:
        outputs: dict[str, dict[int, Any]] = self._state["output_dict_per_obj"][0]
        return outputs

    def _show(self, number: int, image_rgb: np.ndarray) -> None:
        """Stretch a frame to the square that SAM 2 looks at, as the package does."""
        square = Image.fromarray(image_rgb).resize((self._side, self._side))
        # the package divides in 64 bits, and keeps 32
        scaled = torch.from_numpy(np.array(square) / 255.0).permute(2, 0, 1).float()
        shown = (scaled.to(self._mean.device) - self._mean) / self._std
        self._state["images"] = {number: shown}

    def _hide(self) -> None:
        self._state["images"] = {}
        self._state["cached_features"] = {}

    def _forget(self, number: int) -> None:
        """Drop what no later frame asks for; what is about the beginning serves the way back."""
        kept = self._outputs["non_cond_frame_outputs"]
        for other in list(kept):
            if min(abs(other - number), abs(other - self._start)) > self.reach:
                del kept[other]
