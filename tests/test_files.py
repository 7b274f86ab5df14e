"""Files that the mock reads and writes: whole, regular, with their symlinks and modes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.files import read_whole, require_writable, write_whole
from mockserver.openapi.yaml_document import Document, DocumentError
from tests.running import ROOT


def special(folder: Path, kind: str) -> Path:
    """A file that is no regular one."""
    file = folder / kind
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(file))
    elif kind == "folder":
        file.mkdir()
    else:
        return Path("/dev") / kind
    return file


@pytest.mark.parametrize("kind", ["fifo", "socket", "folder", "null", "zero", "full"])
def test_what_is_no_regular_file_is_neither_read_nor_written(tmp_path: Path, kind: str) -> None:
    """Reading it would wait for ever, or fill the memory; replacing it would break the machine."""
    file = special(tmp_path, kind)
    before = file.stat()
    for use in (read_whole, require_writable, lambda path: write_whole(path, "text")):
        with pytest.raises(OSError, match=r"device|folder|directory|No such device"):
            use(file)
    with pytest.raises(DocumentError, match=r"^[^\n]+$"):
        Document(file)
    assert file.stat().st_ino == before.st_ino


def test_a_symlink_stays_and_its_file_is_written(tmp_path: Path) -> None:
    file, link, outer = tmp_path / "real" / "state.json", tmp_path / "link", tmp_path / "outer"
    file.parent.mkdir()
    link.symlink_to(file)
    outer.symlink_to("link")
    for text in ("new", "changed"):  # the first one dangles
        write_whole(outer, text)
        assert (file.read_text(), link.is_symlink(), outer.is_symlink()) == (text, True, True)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_the_mode_stays(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "state.json"
    file.write_text("old")
    file.chmod(mode)
    write_whole(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", mode)


WRITE = """
import os, sys
from pathlib import Path
import mockserver.files as files
if sys.argv[2] == "killed":
    os.fsync = lambda _: os.kill(os.getpid(), 9)
    files.write_whole(Path(sys.argv[1]), "half")
"""


def test_a_successor_removes_what_a_killed_writer_left(tmp_path: Path) -> None:
    """A writer's lock ends with it; that of a living one is respected."""
    file, other = tmp_path / "state.json", tmp_path / ".state.json.notes"
    file.write_text("old")
    other.write_text("mine")
    killed = subprocess.run([sys.executable, "-c", WRITE, str(file), "killed"], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (file.read_text(), len(list(tmp_path.iterdir()))) == ("old", 3)
    require_writable(file)
    assert sorted(tmp_path.iterdir()) == [other, file]
    write_whole(file, "new")
    assert (file.read_text(), sorted(tmp_path.iterdir())) == ("new", [other, file])


def test_many_writers_of_one_file_leave_one_whole_text(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from mockserver.files import write_whole\n"
    program += "for _ in range(50): write_whole(Path(sys.argv[1]), sys.argv[2] * 10_000)"
    file = tmp_path / "state.json"
    writers = [subprocess.Popen([sys.executable, "-c", program, str(file), n], cwd=ROOT) for n in "1234"]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert set(file.read_text()) in [{n} for n in "1234"]
    assert list(tmp_path.iterdir()) == [file]


def bind_mounted(file: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """What a command says where this file is a mount of its own."""
    script = 'mount --bind "$0" "$0" && exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", script, str(file), *command]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_a_file_that_is_mounted_by_itself_is_written_in_place(tmp_path: Path) -> None:
    """A shorter text replaces all of a longer one."""
    file = tmp_path / "state.json"
    file.write_text("old and longer")
    if not Path("/usr/bin/unshare").exists() or bind_mounted(file, "true").returncode:
        pytest.skip("this machine lets nobody mount a file")
    program = "import sys; from pathlib import Path; from mockserver.files import write_whole\n"
    done = bind_mounted(
        file, sys.executable, "-c", program + "write_whole(Path(sys.argv[1]), 'new')", str(file)
    )
    assert (done.stderr, file.read_text(), list(tmp_path.iterdir())) == ("", "new", [file])


def test_files_of_the_same_text_are_parsed_once_while_one_is_in_use(tmp_path: Path) -> None:
    first, second = (tmp_path / name for name in ("first.yaml", "second.yaml"))
    for path in (first, second):
        path.write_text("a: [1, {b: 2}]\n", encoding="utf-8")
    one, other = Document(first), Document(second)
    assert one.content is other.content
    assert (one.path, other.path) == (first, second)
    second.write_text("a: [1, {b: 3}]\n", encoding="utf-8")
    assert Document(second).content == {"a": [1, {"b": 3}]}
    with pytest.raises(DocumentError, match=r"second\.yaml:1: a\.1\.b: is wrong"):
        raise other.error(("a", 1, "b"), "is wrong")
