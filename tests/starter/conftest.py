from tests.models.conftest import cuts_anew

__all__ = ["cuts_anew"]
