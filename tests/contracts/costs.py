"""Requests of each check on a mock: `python -m tests.contracts.costs` writes contracts/costs.json.

Clean-up is part of the check that created the resource. Checks that ask the model count without it. Lock
step counts as on a deployment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import contracts
from contracts.checks.check import Check
from contracts.checks.cost import MEASURED
from contracts.generated.hypothesis_patches import patch_hypothesis
from contracts.http.credentials import open_target
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.safety.ledger import Ledger
from contracts.settings import PROFILES, SEED, RunSettings
from contracts.suite import CHECKS
from contracts.verdict.runner import judge

FILE = Path(contracts.__file__).parent / "costs.json"


class Counting(InProcess):
    """Mock that counts its requests."""

    count = 0
    anonymous = False
    """Whether it does not say that it is a mock: lock step then does what it does on a deployment."""

    def send(self, request: ClientRequest, key: str | None) -> ClientResponse:
        self.count += 1
        answer = super().send(request, key)
        if self.anonymous:
            answer.headers.pop("x-mock-source", None)  # type: ignore[attr-defined]
        return answer


def measured(profile: str, checks: tuple[Check, ...] = CHECKS) -> Iterator[tuple[str, int]]:
    """Id and requests of each check."""
    patch_hypothesis()
    target = Counting()
    access = open_target(target, {})
    settings = RunSettings(SEED, PROFILES[profile])
    run = Run(target, access.keys, access.organization_id, ledger=Ledger(), run_id="cost", settings=settings)
    for check in checks:
        before = target.count + len(list(run.ledger.left()))
        target.anonymous = check.layer == "lockstep"
        judge(check, run)
        yield check.id, target.count + len(list(run.ledger.left())) - before


if __name__ == "__main__":
    columns = [dict(measured(profile)) for profile in MEASURED]
    rows = (f"{json.dumps(check.id)}: {[column[check.id] for column in columns]}" for check in CHECKS)
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
