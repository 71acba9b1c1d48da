"""Nothing but `library_files` writes, renames or deletes, except where no library is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER

# What may write by itself, and where to.
ELSEWHERE = {
    "src/library_files.py": "the one module",
    "src/path_walk.py": "its lower part, which makes folders on the way",
    "src/regular_files.py": "its lowest part",
    "src/ownership.py": "makes the folder that a library is kept in",
    "src/datasets/atomic_output.py": "makes the folder above a dataset, where a person asks for it",
    "src/datasets/saved_crops.py": "a folder that a person chooses; new files alone",
    "src/config.py": "the file in the user's own folder that names the last library",
    "src/models/download.py": "the models folder",
    "src/models/model_table.py": "the models folder",
    "src/gui/models/models_panel.py": "the models folder",
    "src/gui/app/launcher.py": "entries of the desktop's menu",
    "src/gui/app/crash_dialog.py": "a temporary file of its own, and the null device",
    "src/processing/image_loader.py": "a temporary folder of its own",
    "src/gui/app/clipboard_image.py": "a temporary folder of its own",
    "src/cli/demo.py": "a temporary folder of its own",
    "src/processing/cluster/client.py": "a temporary folder of its own, for Ray",
    "src/processing/cluster/workers.py": "temporary folders of its own, on a worker",
    "src/video_clips/encoder.py": "a temporary file of its own",
    "src/video_clips/clip_job.py": "a clip, where a person asks for it",
}
WORKSHOP = "src/starter/"
METHODS = set(
    "unlink rmdir write_bytes write_text touch mkdir symlink_to hardlink_to rename".split()
)
FUNCTIONS = {
    "os": set(
        "remove unlink rmdir removedirs rename renames replace link symlink mkdir makedirs truncate"
        " mknod mkfifo".split()
    ),
    "shutil": set("rmtree move copy copy2 copyfile copytree".split()),
    "tempfile": set("mkdtemp mkstemp NamedTemporaryFile TemporaryDirectory TemporaryFile".split()),
}
WRITING_FLAGS = set("O_CREAT O_WRONLY O_RDWR O_APPEND O_TRUNC".split())
FILES_METHODS = {"rename"}  # SafeFolder has one of that name
NO_FILES = {"labels", "table", "commands"}  # what they rename are labels


def writes(source: str) -> Iterator[tuple[int, str]]:
    """List the calls in a module that change files: line and name."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Attribute):
            owner = function.value.id if isinstance(function.value, ast.Name) else ""
            name = function.attr
            if name in FUNCTIONS.get(owner, ()) or (owner == "os" and _opens_to_write(node)):
                yield node.lineno, f"{owner}.{name}"
            elif name in METHODS and owner not in FUNCTIONS and not _is_safe(function):
                yield node.lineno, f".{name}"
            elif name == "replace" and owner not in FUNCTIONS and len(node.args) == 1:
                if not node.keywords:
                    yield node.lineno, ".replace"
            elif name == "open" and _writes(node, 0):
                yield node.lineno, ".open"
        elif isinstance(function, ast.Name) and function.id == "open" and _writes(node, 1):
            yield node.lineno, "open"


def _is_safe(function: ast.Attribute) -> bool:
    """Return whether a method is one of a SafeFolder's, which is called files or parent here."""
    value = function.value
    name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    safe = {"files", "parent"} | NO_FILES
    return function.attr in FILES_METHODS and name.lstrip("_") in safe


def _opens_to_write(node: ast.Call) -> bool:
    """Return whether a call is an os.open that may change a file."""
    flags = {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    return "open" in flags and bool(
        flags & {"O_CREAT", "O_WRONLY", "O_RDWR", "O_APPEND", "O_TRUNC"}
    )


def _writes(node: ast.Call, place: int) -> bool:
    modes = [keyword.value for keyword in node.keywords if keyword.arg == "mode"]
    modes += node.args[place : place + 1]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and set("wax+") & set(mode.value)
        for mode in modes
    )


def test_only_one_module_writes_renames_and_deletes() -> None:
    found = []
    for path in sorted((APPLICATION_FOLDER / "src").rglob("*.py")):
        name = path.relative_to(APPLICATION_FOLDER).as_posix()
        if name not in ELSEWHERE and not name.startswith(WORKSHOP):
            found += [f"{name}:{line} {call}" for line, call in writes(path.read_text("utf-8"))]
    main = (APPLICATION_FOLDER / "main.py").read_text("utf-8")
    found += [f"main.py:{line} {call}" for line, call in writes(main)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "path.unlink()",
        "path.write_bytes(b'')",
        "self.path.rename(other)",
        "path.replace(other)",
        "os.replace(a, b)",
        "shutil.rmtree(folder)",
        "path.open('w')",
        "open(path, mode='ab')",
        "tempfile.mkdtemp()",
        "os.open(path, os.O_WRONLY | os.O_CREAT)",
    ],
)
def test_calls_that_change_files_are_recognised(source: str) -> None:
    assert len(list(writes(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "text.replace('a', 'b')",
        "path.open('rb')",
        "open(path)",
        "files.rename(a, b)",
        "os.open(path, os.O_RDONLY)",
    ],
)
def test_calls_that_change_none_are_let_through(source: str) -> None:
    assert list(writes(source)) == []


def test_each_exception_is_needed() -> None:
    for name in ELSEWHERE:
        source = (Path(APPLICATION_FOLDER) / name).read_text("utf-8")
        assert list(writes(source)) or "write_atomically" in source, name
