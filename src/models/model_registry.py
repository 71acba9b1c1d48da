"""The models that can be fetched: where they lie, how large they are, under which licence.

The SHA-256 of Meta's SAM 1 are known from its names and those who use it. For SAM 2.1 Meta
publishes none: sizes and SHA-256 are what many programs that fetch the same addresses have written
down, all alike. The Hub's are not known here: it announces one with each file (`X-Linked-Etag`),
which is checked, and a CLIP must hold every tensor of its architecture.

Where these addresses can't be reached, MEDIA_LIBRARY_MODELS_MIRROR names a web folder that holds
the same files under the names they have in the models folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from src.errors import CheckpointError, QueryError
from src.models import checkpoints
from src.models.clip_architecture import clip_architecture
from src.models.sam2 import building
from src.models.segmenter_registry import segmenter_architecture

META = "https://dl.fbaipublicfiles.com/segment_anything/"
META_2 = "https://dl.fbaipublicfiles.com/segment_anything_2/092824/"
HUB = "https://huggingface.co/"
VIT_B_32 = 4 * 151_277_313  # parameters of float32
MIRROR = "MEDIA_LIBRARY_MODELS_MIRROR"
# Of what can be fetched before it can be used; docs/models.md says how the package is installed.
LACKS_SAM2 = "needs the package sam2"


@dataclass(frozen=True)
class RegistryEntry:
    """A model that can be fetched.

    Attributes:
        name: what a person types.
        purpose: what it is for, in a few words.
        file_name: its name in the models folder; ModelManager finds it by this.
        architecture: in open_clip's or segment_anything's registry; of a SAM 2.1 the name that
            Meta gives its file.
        address: its publisher's; see `source`.
        size: in bytes; None where only the server knows.
        sha256: 64 hex digits; None where only the server knows.
    """

    kind: Literal["clip", "sam"]
    name: str
    purpose: str
    file_name: str
    architecture: str
    address: str
    licence: str
    size: int | None = None
    sha256: str | None = None

    @property
    def about(self) -> int:
        """Its size in bytes, or about that where only the server knows."""
        return self.size or VIT_B_32

    @property
    def source(self) -> str:
        """Where it is fetched from: the mirror that the environment names, else its address."""
        mirror = os.environ.get(MIRROR)
        return f"{mirror.rstrip('/')}/{quote(self.file_name)}" if mirror else self.address

    @property
    def needs(self) -> str:
        """What its use needs and this machine lacks, in a few words; empty: nothing."""
        lacks = self.address.startswith(META_2) and not building.is_installed()
        return LACKS_SAM2 if lacks else ""

    def check(self, path: Path) -> None:
        """Refuse a file that is not the whole of this architecture.

        Raises:
            CheckpointError: it is damaged, or another model's.
        """
        state = checkpoints.read_state_dict(path)
        find = segmenter_architecture if self.kind == "sam" else clip_architecture
        found = find(state, path.with_name(self.file_name))
        if found != self.architecture:
            raise CheckpointError(path, f"a {found}, and not the {self.architecture} asked for")


MODEL_REGISTRY = (
    RegistryEntry(
        "clip",
        "ViT-B-32-laion2b",
        "search by any words; recommended",
        "ViT-B-32-laion2b_s34b_b79k.bin",
        "ViT-B-32",
        HUB + "laion/CLIP-ViT-B-32-laion2B-s34B-b79K/resolve/main/open_clip_pytorch_model.bin",
        "MIT",
    ),
    RegistryEntry(
        "clip",
        "ViT-B-32-datacomp",
        "search by any words; trained on filtered data",
        "ViT-B-32-datacomp_xl_s13b_b90k.bin",
        "ViT-B-32",
        HUB + "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K/resolve/main/open_clip_pytorch_model.bin",
        "MIT",
    ),
    RegistryEntry(
        "clip",
        "ViT-B-32-openai",
        "search by any words; the original CLIP",
        "ViT-B-32-quickgelu-openai.safetensors",
        "ViT-B-32-quickgelu",
        HUB + "timm/vit_base_patch32_clip_224.openai/resolve/main/open_clip_model.safetensors",
        "MIT",
    ),
    RegistryEntry(
        "sam",
        "sam2.1_hiera_tiny",
        "segments; the best first one for a CPU",
        "sam2.1_hiera_tiny.pt",
        "sam2.1_hiera_tiny",
        META_2 + "sam2.1_hiera_tiny.pt",
        "Apache-2.0",
        156_008_466,
        "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69",
    ),
    RegistryEntry(
        "sam",
        "sam2.1_hiera_small",
        "segments; a little finer, for a CPU",
        "sam2.1_hiera_small.pt",
        "sam2.1_hiera_small",
        META_2 + "sam2.1_hiera_small.pt",
        "Apache-2.0",
        184_416_285,
        "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38",
    ),
    RegistryEntry(
        "sam",
        "sam2.1_hiera_base_plus",
        "finer segments; slow on a CPU",
        "sam2.1_hiera_base_plus.pt",
        "sam2.1_hiera_base_plus",
        META_2 + "sam2.1_hiera_base_plus.pt",
        "Apache-2.0",
        323_606_802,
        "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5",
    ),
    RegistryEntry(
        "sam",
        "sam2.1_hiera_large",
        "finest segments; needs a GPU",
        "sam2.1_hiera_large.pt",
        "sam2.1_hiera_large",
        META_2 + "sam2.1_hiera_large.pt",
        "Apache-2.0",
        898_083_611,
        "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318",
    ),
    RegistryEntry(
        "sam",
        "vit_b",
        "segments; needs no package, slower on a CPU",
        "sam_vit_b_01ec64.pth",
        "vit_b",
        META + "sam_vit_b_01ec64.pth",
        "Apache-2.0",
        375_042_383,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
    ),
    RegistryEntry(
        "sam",
        "vit_l",
        "finer segments; needs a GPU",
        "sam_vit_l_0b3195.pth",
        "vit_l",
        META + "sam_vit_l_0b3195.pth",
        "Apache-2.0",
        1_249_524_607,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
    ),
    RegistryEntry(
        "sam",
        "vit_h",
        "finest segments; needs a GPU",
        "sam_vit_h_4b8939.pth",
        "vit_h",
        META + "sam_vit_h_4b8939.pth",
        "Apache-2.0",
        2_564_550_879,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
    ),
)


def entry(name: str) -> RegistryEntry:
    """Find a model by its name or its file's.

    Raises:
        QueryError: no model of the registry is called so.
    """
    for known in MODEL_REGISTRY:
        if name.lower() in (known.name.lower(), known.file_name.lower()):
            return known
    names = ", ".join(known.name for known in MODEL_REGISTRY)
    raise QueryError(f'there is no model "{name}" to download; there are {names}')
