"""Mocks without --store pay nothing for it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.running import ROOT

PROGRAM = """
import sys
from mockserver.app import create_app
client = create_app().test_client()
calls = []
def count(frame, event, _):
    if event == "call":
        calls.append(frame.f_code.co_filename)
sys.setprofile(count)
client.get("/v1/spaces?organization_id=org_abc123", headers={"X-API-Key": "ak_demo_owner"})
sys.setprofile(None)
print(*sys.modules)
print(*calls)
"""


def test_without_a_store_nothing_of_it_is_imported_or_called() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOCK_")}
    program = [sys.executable, "-c", PROGRAM]
    result = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    modules, calls = (line.split() for line in result.stdout.splitlines())
    assert not [name for name in modules if name.split(".")[0] == "redis" or "replicas" in name]
    assert calls
    assert not [name for name in calls if "replicas" in name.removeprefix(str(ROOT))]
