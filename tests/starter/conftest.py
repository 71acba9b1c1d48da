from collections.abc import Iterator

import pytest
import torch

from tests.models.conftest import cuts_anew

__all__ = ["cuts_anew"]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Models this small are slower on several threads, most of all beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
