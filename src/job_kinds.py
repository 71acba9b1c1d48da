"""The kinds of jobs and the stages of their work: each is declared here, and nowhere else.

The window's session and strip, its questions and the command line's help and progress read from
here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class JobKind:
    """What a kind of job is called, and how it runs beside others.

    Attributes:
        key: what the code calls it.
        name: what a person would say that runs: "adding files".
        when_stopped: what becomes of its work when it is stopped, as a sentence.
        command: of the command line that does the same.
        help: what that command does, in the words of `--help`.
        queue: jobs of one queue run one after another, those of different ones side by side.
        strip_order: the strip shows the running job with the lowest; None is never shown there,
            and one in the background only once it has taken a while.
        about_models: whether the Models panel says how far it is.
        said_in_place: whether that which started it says what goes wrong.
        in_background: whether it begins and goes on by itself: nobody is asked about it.
        can_continue: whether a person who stops it can go on from where it was.
        done_with_files: what it does with each file, in a list of those that failed: "added".
        rest: what became of the files that did not fail, as a sentence.
        writes: whether it changes the library.
    """

    key: str
    name: str
    when_stopped: str
    command: str
    help: str
    queue: str
    strip_order: int | None = None
    about_models: bool = False
    said_in_place: bool = False
    in_background: bool = False
    can_continue: bool = False
    done_with_files: str = ""
    rest: str = ""
    writes: bool = True

    @property
    def title(self) -> str:
        """Its name where a line begins with it."""
        return self.name[0].upper() + self.name[1:]


@dataclass(frozen=True)
class Stage:
    """What a job does that is not about files; `Progress.doing` names it.

    Attributes:
        headline: what the window's strip says.
        line: what the command line says.
    """

    key: str
    headline: str
    line: str


_MEDIA = "media"  # jobs that write what SAM finds
_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> JobKind:
    """Add a kind of job; a session that is opened from then on can run it.

    Raises:
        ValueError: there is one with this key.
    """
    if kind.key in _kinds:
        raise ValueError(f"there is a kind of job called {kind.key}")
    _kinds[kind.key] = kind
    return kind


def unregister(key: str) -> None:
    del _kinds[key]


def job_kinds() -> Sequence[JobKind]:
    """Return all kinds, in the order of their registration."""
    return tuple(_kinds.values())


def job_kind(key: str) -> JobKind:
    """Return the kind with this key.

    Raises:
        KeyError: there is none.
    """
    return _kinds[key]


ADD = register(
    JobKind(
        "add",
        "adding files",
        "The rest will continue when you open the library again.",
        "ingest",
        "Add files and folders to the library.",
        queue=_MEDIA,
        strip_order=0,
        can_continue=True,
        done_with_files="added",
        rest="All other files were added.",
    )
)
IMPORT = register(
    JobKind(
        "import",
        "the import of a dataset",
        "Images that have come in are kept. Import the dataset again to go on.",
        "import",
        "Take in a dataset of this or another program: its images, segments and labels.",
        queue=_MEDIA,
        strip_order=0,
        done_with_files="imported whole",
        rest="All else was imported.",
    )
)
SEGMENT = register(
    JobKind(
        "segment",
        "segmenting again",
        "Finished frames are kept. You can continue in the Models panel.",
        "models segment-again",
        "segment again what another SAM has segmented",
        queue=_MEDIA,
        strip_order=0,
        about_models=True,
        done_with_files="segmented again",
        rest="Their segments were kept.",
    )
)
SAMPLE = register(
    JobKind(
        "sample",
        "adding frames of a video",
        "Finished frames are kept. Ask for the same range again to go on.",
        "sample",
        "Add frames of a video between those that are in the library.",
        queue=_MEDIA,
        strip_order=0,
        done_with_files="sampled",
        rest="Their frames were added.",
    )
)
PROPAGATE = register(
    JobKind(
        "propagate",
        "following a segment",
        "Nothing was changed. You can start it again.",
        "tracks propagate",
        "Follow a segment through its video with SAM 2.",
        queue=_MEDIA,
        strip_order=0,
        said_in_place=True,
    )
)
EXPORT = register(
    JobKind(
        "export",
        "the export",
        "The unfinished dataset will be deleted.",
        "export",
        "Write a dataset that other programs can train on.",
        queue="export",
        writes=False,
        said_in_place=True,
    )
)
CLIP = register(
    JobKind(
        "clip",
        "saving a clip",
        "The unfinished clip will be deleted.",
        "clip",
        "Save a range of a video as a file of its own, with masks drawn into it if you like.",
        queue="clip",
        writes=False,
        said_in_place=True,
    )
)
DOWNLOAD = register(
    JobKind(
        "download",
        "the download",
        "The part that has arrived is kept. You can resume in the Models panel.",
        "models download",
        "download models",
        queue="download",
        writes=False,
        strip_order=1,
        about_models=True,
        said_in_place=True,
    )
)
SWITCH = register(
    JobKind(
        "switch",
        "processing segments with the new model",
        "Search keeps using the old model. You can continue in the Models panel.",
        "models switch",
        "embed the library with the chosen CLIP, then search with it",
        queue="switch",
        strip_order=1,
        about_models=True,
        said_in_place=True,
    )
)

SCAN = register(
    JobKind(
        "scan",
        "preparing search",
        "It goes on when you open the library again.",
        "search",
        "make what searches go through, in a library of an earlier version",
        queue="scan",
        strip_order=2,
        in_background=True,
    )
)
MISSING = register(
    JobKind(
        "missing",
        "looking for missing files",
        "Nothing has been removed.",
        "remove",
        "look which media files are gone",
        queue="missing",
        strip_order=2,
        in_background=True,
    )
)
BACKUP = register(
    JobKind(
        "backup",
        "the daily backup",
        "It is written when you open the library again.",
        "ingest",
        "examine the library and write the day's backup",
        queue="backup",
        strip_order=3,
        in_background=True,
    )
)
INDEX = register(
    JobKind(
        "index",
        "updating the search index",
        "It goes on when you open the library again.",
        "ingest",
        "tell Chroma what is new, for other programs",
        queue="index",
        strip_order=4,
        in_background=True,
    )
)
MEASURE = register(
    JobKind(
        "measure",
        "measuring frames",
        "It goes on when you open the library again.",
        "verify --repair",
        "measure how sharp the frames are that an earlier version stored",
        queue="measure",
        in_background=True,
    )
)
EMBED = register(
    JobKind(
        "embed",
        "preparing edited segments for search",
        "It goes on when you open the library again.",
        "ingest",
        "embed segments whose masks a person has changed",
        queue="embed",
        strip_order=4,
        in_background=True,
    )
)

TRACK = register(
    JobKind(
        "track",
        "following things through videos",
        "It goes on when you open the library again.",
        "tracks",
        "List what was followed through videos: from when to when, in how many frames.",
        queue="track",
        strip_order=4,
        in_background=True,
    )
)

DUPLICATES = register(
    JobKind(
        "duplicates",
        "looking for duplicates",
        "It begins again when you open the Duplicates panel.",
        "duplicates",
        "Find photos and videos that are almost equal, and decide what becomes of them.",
        queue="duplicates",
        strip_order=2,
        in_background=True,
    )
)
TRASH = register(
    JobKind(
        "trash",
        "moving files to the trash",
        "Files that have been moved stay in the trash.",
        "duplicates trash",
        "move all files of a group but one to the trash",
        queue="duplicates",
        strip_order=2,
        done_with_files="moved to the trash",
        rest="All others were moved.",
    )
)

STAGES = {
    stage.key: stage
    for stage in (
        Stage("recover", "Recovering the library", "recovering the library, pages read"),
        Stage("look", "Looking for moved files", "looking for moved files"),
        Stage("index", "Updating the search index", "updating the index"),
        Stage("missing", "Looking for missing files", "looking for missing files"),
        Stage("scan", "Preparing search", "preparing search"),
        Stage("rows", "Examining the library", "examining rows"),
        Stage("backup", "Writing the daily backup", "writing the daily backup"),
        Stage("examine", "Examining the daily backup", "examining the daily backup"),
        Stage("embed", "Processing segments with the new model", "embedding segments again"),
        Stage("retag", "Tagging segments again", "tagging segments again"),
        Stage("measure", "Measuring frames", "measuring frames"),
        Stage("track", "Following things through videos", "following things through videos"),
        Stage("compare", "Comparing pictures", "comparing pictures"),
        Stage("duplicates", "Checking possible duplicates", "checking possible duplicates"),
        Stage("trash", "Moving to the trash", "moving to the trash"),
        Stage("propagate", "Following a segment", "following a segment, frames"),
        Stage("export", "Writing", "writing crops"),
        Stage("clip", "Saving the clip", "writing frames of the clip"),
        Stage("import", "Importing the dataset", "importing images"),
        Stage("check", "Verifying the download", "checking the download"),
        Stage("cluster", "Starting the cluster's workers", "starting the cluster's workers"),
        Stage("connect", "Waiting for the server", "waiting for the server"),
    )
}
