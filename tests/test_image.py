"""The image: what goes in, and how the mock behaves as the first process of a container.

That it builds and runs takes a container engine; this holds what can be held without one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.running import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
UNSHARE = shutil.which("unshare")


def can_unshare() -> bool:
    """Whether this machine lets us make a process that is the first one of its own."""
    return (
        UNSHARE is not None
        and subprocess.run([UNSHARE, "--pid", "--fork", "true"], check=False).returncode == 0
    )


@contextmanager
def first_process() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A mock that takes itself for process 1, and its number out here."""
    command = [UNSHARE or "", "--pid", "--fork", "--kill-child", sys.executable, "-m", "mockserver", "serve"]
    with subprocess.Popen(
        [*command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as outer:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        while not (inner := children.read_text("ascii").split()):
            time.sleep(0.005)
        try:
            yield outer, int(inner[0])
        finally:
            outer.kill()


@pytest.mark.skipif(not can_unshare(), reason="this machine lets nobody make a namespace of processes")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_process_of_a_container_ends_on_a_signal(number: signal.Signals) -> None:
    with first_process() as (outer, inner):
        assert outer.stdout is not None
        assert '"pid":1' in outer.stdout.readline()
        os.kill(inner, number)
        assert outer.wait(timeout=60) == 0


@pytest.mark.skipif(not can_unshare(), reason="this machine lets nobody make a namespace of processes")
def test_it_ends_before_it_is_up_too() -> None:
    """A signal that process 1 does not handle is dropped: it would go on and serve."""
    with first_process() as (outer, inner):
        while outer.poll() is None:
            os.kill(inner, signal.SIGTERM)
            time.sleep(0.01)
        assert outer.returncode == 128 + signal.SIGTERM
        assert outer.stdout is not None
        assert outer.stdout.read() == ""


def test_all_that_the_package_is_built_from_goes_into_the_image_and_nothing_else() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    needed = {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "requirements", "LICENSE"}
    copied = {word for line in re.findall(r"(?m)^COPY (?!--)(.+) \S+$", DOCKERFILE) for word in line.split()}
    ignored, *rest = [
        line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[0] != "#"
    ]
    assert ignored == "*"
    assert copied == needed == {line[1:] for line in rest if line[0] == "!"}


def test_other_commands_run_in_the_image_as_they_are_given_and_not_as_root() -> None:
    assert not re.search("(?m)^ENTRYPOINT", DOCKERFILE)
    assert re.findall("(?m)^CMD (.*)", DOCKERFILE) == ['["mockserver", "serve"]']
    assert re.findall("(?m)^USER (.*)", DOCKERFILE) == ["10001:10001"]
