from tests.models.conftest import makes_anew, embed_once, embeds_once

__all__ = ["makes_anew", "embed_once", "embeds_once"]
