"""Which weights are on this machine, and the models made of them.

What lies in `models/` is used with no edit to any file: a SAM under Meta's name, a CLIP of
512 dimensions in open_clip's format; with neither, the bundled starter models. A person can
choose another one of them than the best, or no SAM at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import open_clip
import torch

from src.config import MODELS_FOLDER, STARTER_FOLDER
from src.errors import CheckpointError, ModelNotLoadedError
from src.models import checkpoints
from src.models.clip_architecture import clip_architecture, normalisation
from src.models.clip_encoder import ClipEncoder
from src.models.device import FittingBatches
from src.models.image_tower import made_ready
from src.models.segmenter import Segmenter
from src.models.segmenter_registry import (
    is_for_a_segmenter,
    load_segmenter,
    segmenter_files,
)
from src.models.starter import architecture as starter
from src.models.starter.segmenter import STARTER_SAM
from src.models.starter.tokenizer import StarterTokenizer
from src.models.weight_checks import check_finite
from src.models.weights_from_file import WeightsFromFile
from src.settings import NO_SAM, STARTER, Device, Settings

ModelKind = Literal["clip", "sam"]


@dataclass(frozen=True)
class ModelFile:
    """Weights found on this machine.

    Attributes:
        choice: what the settings call it: "starter", or the path in the models folder.
    """

    kind: ModelKind
    label: str
    path: Path
    bytes: int
    choice: str

    @property
    def bundled(self) -> bool:
        return self.choice == STARTER


class ModelManager:
    """Loads CLIP and SAM: the chosen ones, else real weights when they are here, else the
    starter models.
    """

    def __init__(
        self,
        models_folder: Path | str = MODELS_FOLDER,
        device: Device = "auto",
        batch_size: int = 32,
        points_per_side: int | None = None,
        clip_model: str | None = None,
        sam_model: str | None = None,
    ) -> None:
        """Look for models in a folder.

        Args:
            clip_model, sam_model: which to take; see Settings.
        """
        self.models_folder = Path(models_folder)
        self.device = pick_device(device)
        self.wished_device = device
        self.batch_size = batch_size
        self.points_per_side = points_per_side
        self.choices: dict[ModelKind, str | None] = {"clip": clip_model, "sam": sam_model}
        # Weights that were passed over, and why: the window and `models` show them.
        self.problems: list[CheckpointError] = []
        # What embeds and what segments; None before one is loaded.
        self.clip_in_use: str | None = None
        self.sam_in_use: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> ModelManager:
        """Make the one that a person's settings ask for."""
        return cls(
            device=settings.device,
            batch_size=settings.batch_size,
            points_per_side=settings.points_per_side,
            clip_model=settings.clip_model,
            sam_model=settings.sam_model,
        )

    @staticmethod
    def lacks(device: Device) -> bool:
        """Return whether a wished-for device is not on this machine, so that the CPU works."""
        return device not in ("auto", pick_device(device).type)

    def available(self, kind: ModelKind | None = None) -> list[ModelFile]:
        """List the weights on this machine, in the order in which a kind's are tried."""
        if kind is None:
            return self.available("sam") + self.available("clip")
        paths = (
            segmenter_files(self.models_folder, self.device)
            if kind == "sam"
            else self._clip_paths()
        )
        found = [self._model_file(kind, path) for path in paths]
        bundled = starter.SAM_WEIGHTS_FILE if kind == "sam" else starter.CLIP_WEIGHTS_FILE
        if (self._starter_folder / bundled).is_file():
            found.append(self._model_file(kind, self._starter_folder / bundled, bundled=True))
        return sorted(found, key=lambda file: file.choice != self.choices[kind])

    def in_use(self, kind: ModelKind) -> ModelFile | None:
        """Return the weights that are in use, or would be if they are sound; None without any."""
        files = self.available(kind)
        if kind == "clip" and self.clip_in_use is not None:
            return next((file for file in files if _is_of(self.clip_in_use, file.path)), None)
        if kind == "sam" and self.sam_in_use is not None:
            return next((file for file in files if file.path == self.sam_in_use), None)
        return files[0] if files and self.choices[kind] != NO_SAM else None

    def load_clip(self, checkpoint_path: Path | str | None = None) -> ClipEncoder:
        """Load a CLIP of 512 dimensions.

        Args:
            checkpoint_path: weights in open_clip's format; None takes the chosen one, else the
                best in the models folder, and the starter CLIP when there are none.

        Raises:
            CheckpointError: the file named is damaged or another model's.
            ModelNotLoadedError: no CLIP is on this machine.
        """
        if checkpoint_path is not None:
            return self._open_clip(Path(checkpoint_path))
        for file in self._to_try("clip"):
            try:
                clip = self._clip_of(file)
            except CheckpointError as exc:
                self._pass_over(exc)
            else:
                self.clip_in_use = clip.name
                return clip
        raise ModelNotLoadedError(
            f"no CLIP weights in {self.models_folder}{self._last_problem}; put open_clip weights "
            "there, or bring back models/starter from the application's own files"
        )

    def load_clip_named(self, name: str) -> ClipEncoder:
        """Load the CLIP that has a name (see ClipEncoder.name), as a library remembers it.

        Raises:
            ModelNotLoadedError: its weights are not on this machine, or damaged.
        """
        for file in self.available("clip"):
            if _is_of(name, file.path):
                try:
                    clip = self._clip_of(file)
                except CheckpointError as exc:
                    self._pass_over(exc)
                    continue
                if clip.name == name:  # the same weights under another name can be read otherwise
                    return clip
        raise ModelNotLoadedError(f"the weights of {name} are not in {self.models_folder}")

    def load_sam(self, checkpoint_path: Path | str | None = None, **options: Any) -> Segmenter:
        """Load a SAM.

        Args:
            checkpoint_path: weights of a segmenter that the registry knows; None takes the
                chosen one, else what lies in the models folder under such a name (Meta's
                sam_vit_*.pth), and the starter SAM when nothing does.
            options: in the words of MaskGenerator's arguments, in place of the model's own
                defaults.

        Raises:
            CheckpointError: the file named is damaged or another model's.
            ModelNotLoadedError: no SAM is on this machine, or none is to be used; the
                application goes on with whole frames only.
        """
        if self.points_per_side is not None:
            options = {"points_per_side": self.points_per_side} | options
        if checkpoint_path is not None:
            return load_segmenter(Path(checkpoint_path), self.device, options)
        if self.choices["sam"] == NO_SAM:
            raise ModelNotLoadedError("no SAM is to be used; `models use auto` brings it back")
        for file in self._to_try("sam"):
            try:
                sam = (
                    self.load_starter_sam(**options)
                    if file.bundled
                    else load_segmenter(file.path, self.device, options)
                )
            except CheckpointError as exc:
                self._pass_over(exc)
            else:
                self.sam_in_use = file.path
                return sam
        raise ModelNotLoadedError(
            f"no SAM weights in {self.models_folder}{self._last_problem}; put a checkpoint of "
            "Meta's there (sam_vit_b_01ec64.pth) to have frames cut into segments"
        )

    def _to_try(self, kind: ModelKind) -> list[ModelFile]:
        """Order the weights of a kind, and say so when the chosen ones are not among them."""
        files, choice = self.available(kind), self.choices[kind]
        if choice is not None and choice not in (file.choice for file in files):
            missing = self._starter_folder if choice == STARTER else self.models_folder / choice
            self._pass_over(
                CheckpointError(missing, "chosen in the settings, but there is no such model here")
            )
        return files

    @property
    def _last_problem(self) -> str:
        return f" ({self.problems[-1]})" if self.problems else ""

    def _pass_over(self, problem: CheckpointError) -> None:
        if str(problem) not in map(str, self.problems):
            self.problems.append(problem)

    def _clip_of(self, file: ModelFile) -> ClipEncoder:
        return self.load_starter_clip() if file.bundled else self._open_clip(file.path)

    def vocabulary(self, clip: ClipEncoder) -> Path:
        """Return the default vocabulary of a CLIP: a text file a person can edit."""
        if clip.name.startswith("starter-clip@"):
            return self._starter_folder / "vocabulary.txt"
        own = self.models_folder / "vocabulary.txt"
        return own if own.is_file() else STARTER_FOLDER.parent / "vocabulary.txt"

    def _model_file(self, kind: ModelKind, path: Path, bundled: bool = False) -> ModelFile:
        choice = STARTER if bundled else path.relative_to(self.models_folder).as_posix()
        label = f"starter {kind.upper()}" if bundled else choice
        return ModelFile(kind, label, path, path.stat().st_size, choice)

    @property
    def _starter_folder(self) -> Path:
        own = self.models_folder / "starter"
        # the bundled models are there wherever a person keeps the others
        return STARTER_FOLDER if self.models_folder == MODELS_FOLDER else own

    def _clip_paths(self) -> list[Path]:
        """Other weights in the models folder or one folder below, by name."""
        paths = [*self.models_folder.glob("*"), *self.models_folder.glob("*/*")]
        return sorted(
            path
            for path in paths
            if path.suffix in checkpoints.SUFFIXES
            and path.is_file()
            and path.parent != self.models_folder / "starter"
            and not is_for_a_segmenter(path)
        )

    def _open_clip(self, path: Path) -> ClipEncoder:
        state = checkpoints.read_state_dict(path)
        name = clip_architecture(state, path)
        mean, std = normalisation(name)
        with WeightsFromFile():
            model = open_clip.create_model(
                name, load_weights=False, force_preprocess_cfg={"mean": mean, "std": std}
            )
        try:
            model.load_state_dict(state)
        except RuntimeError as exc:
            raise CheckpointError(path, f"not the weights of a CLIP {name}") from exc
        check_finite(model, path)
        tokenizer = open_clip.get_tokenizer(name)
        return self._encoder(
            model,
            tokenizer,
            None,
            f"CLIP {name}",
            f"{name}@{checkpoints.fingerprint(path)}",
        )

    def load_starter_clip(self) -> ClipEncoder:
        """Load the bundled CLIP, whatever else is here."""
        path = self._starter_folder / starter.CLIP_WEIGHTS_FILE
        tokenizer = StarterTokenizer()
        model = starter.load_starter_clip(self._starter_folder, self.device)
        check_finite(model, path)
        return self._encoder(
            model,
            tokenizer,
            tokenizer,
            "starter CLIP",
            f"starter-clip@{checkpoints.fingerprint(path)}",
        )

    def _encoder(
        self,
        model: Any,
        tokenize: Any,
        vocabulary: StarterTokenizer | None,
        label: str,
        name: str,
    ) -> ClipEncoder:
        preprocess = open_clip.get_model_preprocess_cfg(model)
        size = preprocess["size"]
        return ClipEncoder(
            name=name,
            label=label,
            model=made_ready(model.to(self.device).eval(), self.device),
            tokenize=tokenize,
            vocabulary=vocabulary,
            image_size=size if isinstance(size, int) else size[0],
            mean_rgb=tuple(preprocess["mean"]),
            std_rgb=tuple(preprocess["std"]),
            device=self.device,
            batches=FittingBatches(self.batch_size),
        )

    def load_starter_sam(self, **options: Any) -> Segmenter:
        """Load the bundled SAM, whatever else is here."""
        path = self._starter_folder / starter.SAM_WEIGHTS_FILE
        return STARTER_SAM.load({}, path, self.device, options)


def pick_device(wish: Device) -> torch.device:
    """Choose where models run: the device wished for when it is there, else the CPU."""
    if wish in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda")
    if wish in ("auto", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _is_of(name: str, path: Path) -> bool:
    """Return whether a file holds the weights that a name of a CLIP was made of."""
    return name.rpartition("@")[2] == checkpoints.fingerprint(path)
