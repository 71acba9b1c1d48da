"""What an export would write, counted."""

from __future__ import annotations

import contextlib

from src.database.metadata_db import MetadataDatabase
from src.datasets.plan import DatasetPlan
from src.export_records import AlikePair, ExportPreview

# Files that are measured; of more than these the size is estimated.
MOST_MEASURED = 1000
# Bytes a pixel of a JPEG and of a transparent PNG, about.
_JPEG, _PNG = 0.35, 1.5


def preview_of(metadata: MetadataDatabase, plan: DatasetPlan) -> ExportPreview:
    """Count what a plan would write: classes, splits, files, and how large they are, about."""
    of_split = {split: sum(plan.labels_of(split).values()) for split in plan.splits}
    return ExportPreview(
        written=dict(plan.labels),
        left_out=dict(plan.left_out_of),
        media_files=plan.media_files,
        bytes=_bytes(metadata, plan),
        images=plan.annotations if plan.one_file_per_label else len(plan),
        splits=of_split,
        reasons={reason: number for reason, number in plan.left_out.items() if number},
        warnings=plan.warnings,
        close_pairs=_alike_pairs(metadata, plan),
    )


def _alike_pairs(metadata: MetadataDatabase, plan: DatasetPlan) -> tuple[AlikePair, ...]:
    if not plan.close_pairs:
        return ()
    paths = {media.id: media.path for media in metadata.all_media()}
    ids = sorted({each for pair in plan.close_pairs for each in pair.segment_ids})
    crops = {key: each.crop_path for key, each in metadata.segments(ids, with_masks=False).items()}
    return tuple(
        AlikePair(
            (paths[pair.media_ids[0]], paths[pair.media_ids[1]]),
            (plan.split_of[pair.media_ids[0]], plan.split_of[pair.media_ids[1]]),
            (crops[pair.segment_ids[0]], crops[pair.segment_ids[1]]),
            pair.similarity,
        )
        for pair in plan.close_pairs
        if crops.keys() >= set(pair.segment_ids) and paths.keys() >= set(pair.media_ids)
    )


def _bytes(metadata: MetadataDatabase, plan: DatasetPlan) -> int:
    if plan.form == "frames":
        return _bytes_of_frames(metadata, plan)
    segments = {
        segment.id: len(segment.labels) if plan.one_file_per_label else 1
        for counts in plan.media.values()
        for segment in counts.segments
    }
    size = measured = 0
    some = list(segments)[:MOST_MEASURED]
    for segment in metadata.segments(some, with_masks=False).values():
        measured += segments[segment.id]
        _, _, w, h = segment.bbox_xywh
        each = round(w * h * (_PNG if plan.form == "cutouts" else _JPEG))
        if plan.form == "blurred":
            each = 0
            with contextlib.suppress(OSError):  # verify finds what is missing
                each = segment.crop_path.stat().st_size
        size += segments[segment.id] * each
    return round(size * sum(segments.values()) / max(1, measured))


def _bytes_of_frames(metadata: MetadataDatabase, plan: DatasetPlan) -> int:
    size = 0.0
    for media in metadata.all_media():
        frames = plan.frames_of(media.id)
        if media.kind == "image":
            size += media.file_size * bool(frames)
        else:
            size += frames * (media.width or 0) * (media.height or 0) * _JPEG
    return round(size)
