"""The suite on Prism, a stateless mock: stateless checks pass, the others fail clearly.

It runs where PRISM names the command of @stoplight/prism-cli, or `prism` is on the path.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contracts.test_cli import contracts, only
from tests.running import ROOT

PRISM = os.environ.get("PRISM") or shutil.which("prism")
SHAPES = {
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "not_a_server_error",
}
KEYS = {
    **{f"CONTRACTS_{role}_KEY": f"key-of-the-{role.lower()}" for role in ("OWNER", "VIEWER", "OUTSIDER")},
    "CONTRACTS_ORGANIZATION_ID": "org_abc123",
    "COLUMNS": "400",
}


@contextmanager
def prism() -> Iterator[str]:
    """Its URL while it runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(PRISM), "mock", "-p", str(port), str(ROOT / "openapi.yaml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()


@pytest.mark.skipif(PRISM is None, reason="PRISM does not name the command of @stoplight/prism-cli")
def test_a_mock_without_state_has_the_right_shapes_and_keeps_no_promise(tmp_path: Path) -> None:
    chosen = only("operation-getSpace", "operation-listSpaces", "operation-addThreadToSpace")
    promises = only("a-new-space-has-no-threads", "a-deleted-thread-is-gone")
    with prism() as url:
        result = contracts("run", "--target", url, *chosen, *promises, "--report-dir", str(tmp_path), **KEYS)
    assert result.exit_code == 1, result.output
    failures = json.loads((tmp_path / "report.json").read_text("utf-8"))["failures"]
    assert {failure["fingerprint"]["keyword"] for failure in failures} & SHAPES == set()
    assert "data: expected [], got [{'id': 'thrd_abc123'" in result.output
    assert "reading it: expected 404, got 200" in result.output
