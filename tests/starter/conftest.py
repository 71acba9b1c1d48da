from tests.models.conftest import cuts_anew, embed_once, embeds_once

__all__ = ["cuts_anew", "embed_once", "embeds_once"]
