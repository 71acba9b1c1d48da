"""A process that is killed in the middle of a bulk act leaves it whole or absent."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.labelling import Labels
from tests.conftest import add_media_with, unit_vectors
from tests.labels.test_labels import no_vectors

SEGMENTS = 60
# Does acts on all segments until it is killed, and says before and after each which it is.
DOES_ACTS = f"""
import sys, itertools
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.labelling import Labels
metadata = MetadataDatabase(LibraryPaths(__import__("pathlib").Path(sys.argv[1])))
labels = Labels(metadata, None, None)
ids = [f"a.jpg-{{n:05}}" for n in range({SEGMENTS})]
for number in itertools.count(int(sys.argv[2])):
    print("begins", number, flush=True)
    batch = f"act {{number}}"
    kind = number % 5
    if kind == 0:
        labels.give(ids, "dog", batch)
    elif kind == 1:
        labels.accept_together(ids, "cat", [0.5] * len(ids), batch)
    elif kind == 2:
        labels.merge(["cat", "dog"], "pet", batch)
    elif kind == 3:
        labels.reject(ids, "pet", batch)
    else:
        labels.remove("pet", batch)
    print("done", number, flush=True)
"""


def held(metadata: MetadataDatabase) -> tuple[object, ...]:
    db = metadata.connection.read()
    return tuple(
        sorted(tuple(row) for row in db.execute(sql))
        for sql in (
            "SELECT t.name, st.source, count(*) FROM segment_tags st JOIN tags t"
            " ON t.id = st.tag_id GROUP BY t.name, st.source",
            "SELECT t.name, count(*) FROM removed_tags r JOIN tags t ON t.id = r.tag_id"
            " GROUP BY t.name",
            "SELECT name, position FROM tags WHERE position IS NOT NULL",
        )
    )


def states_of_all_acts(paths: LibraryPaths) -> list[tuple[object, ...]]:
    """What holds after each act of one turn and of the next ones: the same every five acts."""
    names = {0: {"dog"}, 1: {"dog", "cat"}, 2: {"pet"}, 3: {"pet"}, 4: set[str]()}
    return [
        (
            sorted(
                (name, source, SEGMENTS)
                for name, source in {
                    0: [("dog", "human")],
                    1: [("dog", "human"), ("cat", "propagated")],
                    2: [("pet", "human")],
                    3: [],
                    4: [],
                }[kind]
            ),
            [("pet", SEGMENTS)] if kind == 3 else [],
            names[kind],
        )
        for kind in range(5)
    ]


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_bulk_act_is_whole_or_absent(paths: LibraryPaths, seed: int) -> None:
    draw = random.Random(seed)
    with closing(MetadataDatabase(paths)) as metadata:
        add_media_with(metadata, unit_vectors(SEGMENTS))
    expected, number = states_of_all_acts(paths), 0
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", DOES_ACTS, str(paths.root), str(number)],
            cwd=APPLICATION_FOLDER,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        stop_at, lines = draw.randint(3, 12), list[str]()
        for line in child.stdout:
            lines.append(line.strip())
            if len(lines) >= stop_at and line.startswith("begins"):
                # somewhere in the act: so many bytes of work later
                sum(range(draw.randint(0, 2_000_000)))
                break
        child.send_signal(signal.SIGKILL)
        lines += [line.strip() for line in child.stdout]
        child.wait()
        child.stdout.close()
        done = [int(line.split()[1]) for line in lines if line.startswith("done")]
        begun = [int(line.split()[1]) for line in lines if line.startswith("begins")]
        last = done[-1] if done else number - 1
        with closing(MetadataDatabase(paths)) as metadata:
            tags, removed, positions = held(metadata)
            now = (tags, removed, {name for name, _ in positions})  # type: ignore[attr-defined]
            possible = [expected[last % 5]] if last >= 0 else [([], [], set())]
            if begun[-1] != last:
                possible.append(expected[begun[-1] % 5])
            assert now in possible
            assert metadata.damaged_rows() == [] and metadata.miscounted() == {}
            assert metadata.integrity_problems() == []
            # what came through is taken back as a whole
            labels = Labels(metadata, no_vectors, no_vectors)  # type: ignore[arg-type]
            number = last + 1
            if begun[-1] != last and now == possible[-1] and now != possible[0]:
                labels.undo(f"act {begun[-1]}")
                tags, removed, positions = held(metadata)
                undone = (tags, removed, {name for name, _ in positions})  # type: ignore[attr-defined]
                assert undone == possible[0]
                labels.redo(f"act {begun[-1]}")
                number = begun[-1] + 1
