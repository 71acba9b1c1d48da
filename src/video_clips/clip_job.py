"""A range of a video becomes a file: read, drawn on, encoded aside, and put in its place."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from src.database.frame_spans import stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.datasets.atomic_output import check_place
from src.datasets.staging import staging_folder
from src.errors import ExportError, MediaReadError
from src.events import ClipWritten, Event, JobDone, Progress
from src.library_files import SafeFolder
from src.processing.ffmpeg_process import find_ffmpeg
from src.processing.unchanged_file import unchanged_file
from src.processing.video_streams import read_header
from src.records import MediaFile
from src.track_records import ClipMasks
from src.video_clips.encoder import NO_FFMPEG, VideoEncoder, read_sound
from src.video_clips.frames import at_steps, frame_rate, read_from, steps_of
from src.video_clips.mask_drawing import things_to_draw

SUFFIX = ".mp4"
_CLIP, _SOUND = "clip.mp4", "sound.flac"


@dataclass(frozen=True)
class Clip:
    """One clip.

    Attributes:
        begin_s, end_s: its range; the frame that is shown at the end is not in it.
        file: where it goes; an MP4.
        masks: what is drawn into it; None draws nothing.
        replace: whether a file that is there already may go.
    """

    metadata: MetadataDatabase
    media_file_id: int
    begin_s: float
    end_s: float
    file: Path
    masks: ClipMasks | None = None
    replace: bool = False

    def run(self) -> Iterator[Event]:
        """Write the clip; it is whole at its place at the end, or not there.

        Yields:
            Progress, ClipWritten and JobDone.

        Raises:
            ExportError: there is a file already, nothing that could be drawn, no such range, or it
                can't be written.
            MediaReadError: the video can't be read, is not wholly in the library, or is another
                one now.
        """
        media = self._checked()
        file = Path(os.path.abspath(self.file))
        with _os_errors_named(file):
            self._check_place(file, media)
            media = unchanged_file(self.metadata, media)
            self._check_place(file, media)  # it may be a copy that is read
            with SafeFolder(file.parent).held() as folder, staging_folder(folder) as staging:
                written = yield from self._write(media, folder, staging)
                self._check_place(file, media)
                _put(folder, f"{staging}/{_CLIP}", file.name, self.replace)
        yield ClipWritten(file, written, self.masks is not None)
        yield JobDone(frames=written, written=file)

    def _checked(self) -> MediaFile:
        media = self.metadata.media(self.media_file_id)
        if media is None or media.kind != "video":
            raise ExportError("there is no such video in the library; a clip is cut out of one")
        begin_s, end_s = self.begin_s, self.end_s
        is_range = math.isfinite(begin_s) and math.isfinite(end_s) and 0 <= begin_s < end_s
        if not is_range:
            raise ExportError("a clip begins at 0 or later, and ends after that; choose a range")
        if media.duration_s is not None and begin_s >= media.duration_s:
            raise ExportError(
                f"{media.path.name}: it ends at {media.duration_s:.1f} s, before this range; "
                "choose an earlier one"
            )
        return media

    def _check_place(self, file: Path, media: MediaFile) -> None:
        """Check that a clip may come to its place.

        Raises:
            ExportError: it may not, and why.
        """
        if file.suffix.lower() != SUFFIX:
            raise ExportError(
                f"{file}: a clip is an MP4 file; give it a name that ends in {SUFFIX}"
            )
        if not file.parent.is_dir():
            raise ExportError(f"{file.parent}: there is no such folder; choose another one")
        check_place(file.parent)
        if file == media.path or (file.exists() and os.path.samefile(file, media.path)):
            raise ExportError(f"{file}: this is the video itself; choose another name")
        if os.path.lexists(file) and not self.replace:
            raise ExportError(f"{file}: there is a file of this name already; choose another name")
        if os.path.isdir(file):
            raise ExportError(f"{file}: this is a folder; choose another name")

    def _write(
        self, media: MediaFile, folder: SafeFolder, staging: str
    ) -> Generator[Event, None, int]:
        program = find_ffmpeg()
        if program is None:
            raise ExportError(NO_FFMPEG)
        begin_s, end_s = self.begin_s, self.end_s
        drawn = []
        if self.masks is not None:
            drawn = things_to_draw(self.metadata, media, begin_s, end_s, self.masks)
        header = read_header(program, media.path)
        film = header.film()
        rate = frame_rate(None if film is None else film.frames_per_second)
        total = steps_of(begin_s, min(end_s, media.duration_s or end_s), rate)
        yield Progress("clip", 0, total)
        sound: Path | None = None
        if header.has_sound:
            with folder.open_new(f"{staging}/{_SOUND}") as stream:
                if read_sound(program, media.path, begin_s, end_s - begin_s, stream):
                    sound = folder.root / staging / _SOUND
        known = stored_frame_times(self.metadata.connection, media.id)
        written, encoder = 0, None
        with (
            contextlib.ExitStack() as stack,
            closing(read_from(media.path, begin_s, known)) as frames,
        ):
            for time_s, image_rgb in at_steps(frames, begin_s, end_s, rate):
                if encoder is None:
                    size_wh = image_rgb.shape[1], image_rgb.shape[0]
                    place = folder.root / staging / _CLIP
                    encoder = stack.enter_context(VideoEncoder(place, size_wh, rate, sound))
                if drawn:
                    image_rgb = image_rgb.copy()  # a frame may be shown at several steps
                    for each in drawn:
                        each.draw(image_rgb, time_s)
                encoder.write(image_rgb)
                written += 1
                yield Progress("clip", written, max(total, written))
        if not written:
            raise MediaReadError(media.path, "there is no frame in this range")
        return written


def _put(folder: SafeFolder, staged: str, name: str, replace: bool) -> None:
    """Bring a clip to its place; over another file only where that may go.

    Raises:
        OSError: it can't be done, or a file has come there meanwhile.
    """
    if not replace:
        try:
            folder.link(staged, name)  # which takes no other's place
            return
        except FileExistsError:
            raise
        except OSError:  # not every file system has second names
            if folder.entry(name) is not None:
                raise
    folder.rename(staged, name)


@contextlib.contextmanager
def _os_errors_named(file: Path) -> Iterator[None]:
    """Raise an OSError of the block as an ExportError that names the file."""
    try:
        yield
    except OSError as exc:
        raise ExportError(
            f"{file}: the clip can't be written ({exc.strerror or exc}); nothing was kept"
        ) from exc
