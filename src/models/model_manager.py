"""Which weights are on this machine, and the models made of them.

What lies in `models/` is used with no edit to any file: a SAM under Meta's name, a CLIP of
512 dimensions in open_clip's format; with neither, the bundled starter models.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import open_clip
import torch
from segment_anything import sam_model_registry

from src.config import MODELS_FOLDER
from src.errors import CheckpointError, ModelNotLoadedError
from src.models import checkpoints
from src.models.clip_encoder import ClipEncoder
from src.models.device import FittingBatches
from src.models.mask_generator import MaskGenerator
from src.models.starter import architecture as starter
from src.models.starter.tokenizer import StarterTokenizer

SAM_FILES = "sam_vit_*.pth"


@dataclass(frozen=True)
class ModelFile:
    """Weights found on this machine."""

    kind: Literal["clip", "sam"]
    label: str
    path: Path
    bytes: int
    bundled: bool


class ModelManager:
    """Loads CLIP and SAM: real weights when they are here, the starter models otherwise."""

    def __init__(
        self,
        models_folder: Path | str = MODELS_FOLDER,
        device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
        batch_size: int = 32,
        points_per_side: int | None = None,
    ) -> None:
        self.models_folder = Path(models_folder)
        self.device = pick_device(device)
        self.batch_size = batch_size
        self.points_per_side = points_per_side
        # Weights that were passed over, and why: the window and `models` show them.
        self.problems: list[CheckpointError] = []

    def available(self) -> list[ModelFile]:
        """List the weights on this machine, best first for each kind."""
        found = [_model_file("sam", path) for path in self._sam_paths()]
        found += [_model_file("clip", path) for path in self._clip_paths()]
        for kind, path in (("clip", starter.CLIP_WEIGHTS_FILE), ("sam", starter.SAM_WEIGHTS_FILE)):
            if (self._starter_folder / path).is_file():
                found.append(_model_file(kind, self._starter_folder / path, bundled=True))
        return found

    def load_clip(self, checkpoint_path: Path | str | None = None) -> ClipEncoder:
        """Load a CLIP of 512 dimensions.

        Args:
            checkpoint_path: weights in open_clip's format; None takes the best in the
                models folder, and the starter CLIP when there are none.

        Raises:
            CheckpointError: the file named is damaged or another model's.
            ModelNotLoadedError: no CLIP is on this machine.
        """
        if checkpoint_path is not None:
            return self._open_clip(Path(checkpoint_path))
        for path in self._clip_paths():
            try:
                return self._open_clip(path)
            except CheckpointError as exc:
                self.problems.append(exc)
        if not (self._starter_folder / starter.CLIP_WEIGHTS_FILE).is_file():
            raise ModelNotLoadedError(
                f"no CLIP weights in {self.models_folder}; put open_clip weights there, or "
                "bring back models/starter from the application's own files"
            )
        return self.load_starter_clip()

    def load_sam(self, checkpoint_path: Path | str | None = None, **options: Any) -> MaskGenerator:
        """Load a SAM, as a generator of masks.

        Args:
            checkpoint_path: weights of Meta's SAM; None takes what lies in the models folder
                under Meta's name, and the starter SAM when nothing does.
            options: arguments of MaskGenerator, in place of the model's own defaults.

        Raises:
            CheckpointError: the file named is damaged or another model's.
            ModelNotLoadedError: no SAM is on this machine; the application goes on with
                whole frames only.
        """
        if self.points_per_side is not None:
            options = {"points_per_side": self.points_per_side} | options
        if checkpoint_path is not None:
            return self._meta_sam(Path(checkpoint_path), options)
        for path in self._sam_paths():
            try:
                return self._meta_sam(path, options)
            except CheckpointError as exc:
                self.problems.append(exc)
        if not (self._starter_folder / starter.SAM_WEIGHTS_FILE).is_file():
            raise ModelNotLoadedError(
                f"no SAM weights in {self.models_folder}; put a checkpoint of Meta's there "
                "(sam_vit_b_01ec64.pth) to have frames cut into segments"
            )
        return self.load_starter_sam(**options)

    def vocabulary(self, clip: ClipEncoder) -> Path:
        """Name the default vocabulary of a CLIP: a text file a person can edit."""
        starts_small = clip.name.startswith("starter-clip@")
        return (self._starter_folder if starts_small else self.models_folder) / "vocabulary.txt"

    @property
    def _starter_folder(self) -> Path:
        return self.models_folder / "starter"

    def _sam_paths(self) -> list[Path]:
        """SAM checkpoints in the models folder, the one that suits the device first."""
        order = "blh" if self.device.type == "cpu" else "hlb"
        paths = [path for path in self.models_folder.glob(SAM_FILES) if path.stem[8:9] in order]
        return sorted(paths, key=lambda path: (order.index(path.stem[8]), path.name))

    def _clip_paths(self) -> list[Path]:
        """Other weights in the models folder or one folder below, by name."""
        paths = [*self.models_folder.glob("*"), *self.models_folder.glob("*/*")]
        return sorted(
            path
            for path in paths
            if path.suffix in checkpoints.SUFFIXES
            and path.is_file()
            and not path.match(SAM_FILES)
            and path.parent != self._starter_folder
        )

    def _open_clip(self, path: Path) -> ClipEncoder:
        state = checkpoints.read_state_dict(path)
        name = checkpoints.clip_architecture(state, path)
        model = open_clip.create_model(name, load_weights=False)
        try:
            model.load_state_dict(state)
        except RuntimeError as exc:
            raise CheckpointError(path, f"not the weights of a CLIP {name}") from exc
        tokenizer = open_clip.get_tokenizer(name)
        return self._encoder(
            model,
            tokenizer,
            lambda text: (),
            f"CLIP {name}",
            f"{name}@{checkpoints.fingerprint(path)}",
        )

    def load_starter_clip(self) -> ClipEncoder:
        """Load the bundled CLIP, whatever else is here."""
        path = self._starter_folder / starter.CLIP_WEIGHTS_FILE
        tokenizer = StarterTokenizer()
        return self._encoder(
            starter.load_starter_clip(self._starter_folder, self.device),
            tokenizer,
            tokenizer.unknown_words,
            "starter CLIP",
            f"starter-clip@{checkpoints.fingerprint(path)}",
        )

    def _encoder(
        self, model: Any, tokenize: Any, unknown_words: Any, label: str, name: str
    ) -> ClipEncoder:
        preprocess = open_clip.get_model_preprocess_cfg(model)
        size = preprocess["size"]
        return ClipEncoder(
            name=name,
            label=label,
            model=model.to(self.device).eval(),
            tokenize=tokenize,
            unknown_words=unknown_words,
            image_size=size if isinstance(size, int) else size[0],
            mean_rgb=tuple(preprocess["mean"]),
            std_rgb=tuple(preprocess["std"]),
            device=self.device,
            batches=FittingBatches(self.batch_size),
        )

    def _meta_sam(self, path: Path, options: dict[str, Any]) -> MaskGenerator:
        state = checkpoints.read_state_dict(path)
        name = checkpoints.sam_type(state, path)
        sam = sam_model_registry[name](checkpoint=None)
        try:
            sam.load_state_dict(state)
        except RuntimeError as exc:
            raise CheckpointError(path, f"not a whole SAM {name} checkpoint") from exc
        return MaskGenerator(sam.to(self.device).eval(), label=f"SAM {name}", **options)

    def load_starter_sam(self, **options: Any) -> MaskGenerator:
        """Load the bundled SAM, whatever else is here."""
        sam = starter.load_starter_sam(self._starter_folder, self.device)
        defaults = asdict(starter.load_mask_thresholds(self._starter_folder))
        return MaskGenerator(sam, label="starter SAM", **(defaults | options))


def pick_device(wish: Literal["auto", "cpu", "cuda", "mps"]) -> torch.device:
    """Choose where models run: the device wished for when it is there, else the CPU."""
    if wish in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda")
    if wish in ("auto", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _model_file(kind: Any, path: Path, bundled: bool = False) -> ModelFile:
    label = f"starter {kind.upper()}" if bundled else path.name
    return ModelFile(kind, label, path, path.stat().st_size, bundled)
