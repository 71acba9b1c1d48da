from tests.models.conftest import embed_once, embeds_once, makes_anew

__all__ = ["embed_once", "embeds_once", "makes_anew"]
