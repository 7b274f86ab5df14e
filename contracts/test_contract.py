"""Each check as a pytest test."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.report.curl import commands
from contracts.verdict.failure import Outcome, Verdict


def test_the_contract_holds(check: Any, outcome: Outcome, strict: bool) -> None:
    """The check passes; untested checks are skipped, and assumptions may fail."""
    if outcome.verdict is Verdict.UNTESTED:
        pytest.skip(outcome.message)
    if outcome.verdict in (Verdict.FLAKY, Verdict.ORDER, Verdict.UNCONFIRMED):
        pytest.xfail(f"{outcome.verdict}: {outcome.message}")
    worst = outcome.worst
    if worst is not None and outcome.verdict is Verdict.ASSUMPTION and not strict:
        pytest.xfail(f"assumption {worst.assumption} does not hold here: {outcome.message}")
    if outcome.verdict is not Verdict.PASSED:
        sent = "\n".join(commands(worst.chain if worst else ())[0])
        evidence = worst.evidence if worst else check.evidence
        report = f"{check.sentence}\nevidence {evidence}: {outcome.message}\n{sent}"
        pytest.fail(f"{outcome.verdict}: {report}", pytrace=False)
