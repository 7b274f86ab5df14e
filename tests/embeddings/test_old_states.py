"""States that the version of November 2026 wrote are read, and mean the future that they meant then.

Two sandboxes in the middle of their work: with failures and retries, removed and edited messages, a removed
thread, jobs that a tester gave an end; one of them with a policy in mode manual, some steps on.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Ask
from tests.freddy.steps import Steps
from tests.running import ROOT

CASES = json.loads((ROOT / "tests/embeddings/states_of_november.json").read_text("utf-8"))


def jobs_of(steps: Steps) -> list[list[Any]]:
    return [[job["id"], job["state"], job["begun"]] for job in steps.queue()["jobs"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_old_state_goes_on_as_it_would_have(ask: Ask, case: dict[str, Any]) -> None:
    steps = Steps(ask)
    served = steps("GET", "/__admin/state")["spec"]
    steps("PUT", "/__admin/state", json={**case["state"], "spec": served})
    assert jobs_of(steps) == case["jobs"]
    for (method, path, body), meant in zip(case["calls"], case["future"], strict=True):
        answer = steps(method, path, json=body)
        assert {name: answer[name] for name in meant["answer"]} == meant["answer"]
        assert jobs_of(steps) == meant["jobs"]
