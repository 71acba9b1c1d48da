"""What `tracks` is to do: list what there is, or follow a segment."""

from __future__ import annotations

import argparse

FOLLOW = "propagate"


def check_tracks_arguments(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Tell a segment to follow from paths: the first word says so; a file has ./ before its name.

    Args:
        arguments: gets `segment_id`, None where the tracks are to be listed.
    """
    words = [str(path) for path in arguments.paths]
    arguments.segment_id = None
    if words[:1] == [FOLLOW]:
        if len(words) != 2:
            parser.error(f"name one segment to follow: `tracks {FOLLOW} SEGMENT`")
        arguments.segment_id, arguments.paths = words[1], []
    elif arguments.begin_s is not None or arguments.end_s is not None:
        parser.error(f"a range goes with `tracks {FOLLOW} SEGMENT`")
