"""A page in a browser sees each fault as docs/fault-types.md says, directly and through a Vite dev server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.clients.test_typescript import NODE, NPM
from tests.running import FROZEN, ROOT, ready
from tests.test_examples import installed
from tests.test_foreign_page import BROWSER

OPENSSL = shutil.which("openssl")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (NODE and NPM and BROWSER), reason="needs node, npm and chromium"),
]
SEEN = {
    "truncate": "200 TypeError",
    "malformed": "200 SyntaxError",
    "hang": "200 TimeoutError",
    "reset": "TypeError",
    "empty": "TypeError",
}
PLAIN = {
    "truncate": "200 TimeoutError",
    "malformed": "200 SyntaxError",
    "hang": "200 TimeoutError",
    "reset": "502 SyntaxError",
    "empty": "502 SyntaxError",
}
"""Through a proxy without the handlers of the example."""


class Place(NamedTuple):
    """Copy of the Vite example, and URL of a port that can break connections."""

    example: Path
    url: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    example = installed("vite", tmp_path_factory.mktemp("examples"))
    with ready("--fault-port", "0", "--freeze", FROZEN) as line:
        yield Place(example, f"http://127.0.0.1:{line['fault_port']}")


def certified(folder: Path) -> None:
    """Write a certificate for this machine, and its key."""
    if OPENSSL is None:
        pytest.skip("openssl not installed")
    made = ["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"]
    command = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *made]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)


@pytest.mark.parametrize(
    ("use", "expected"), [("mock", SEEN), ("http", SEEN), ("https", SEEN), ("plain", PLAIN)]
)
def test_a_page_sees_each_fault(place: Place, use: str, expected: dict[str, str]) -> None:
    if use == "https":
        certified(place.example)
    command = [
        NODE or "node",
        str(ROOT / "tests/vite_faults.mjs"),
        str(place.example),
        BROWSER or "chromium",
        use,
    ]
    environment = {**os.environ, "FREDDY_API_URL": place.url}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == expected
