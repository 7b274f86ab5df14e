"""Each check as a pytest test."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.report.curl import commands
from contracts.verdict.failure import Outcome, Verdict


def test_the_contract_holds(check: Any, outcome: Outcome, strict: bool) -> None:
    """The check passes; untested checks are skipped, and assumptions may fail."""
    sent = "\n".join(commands(outcome.chain)[0])
    report = f"{check.sentence}\nevidence {outcome.evidence}: {outcome.message}\n{sent}"
    if outcome.verdict is Verdict.UNTESTED:
        pytest.skip(outcome.message)
    if outcome.verdict is Verdict.ASSUMPTION and not strict:
        pytest.xfail(f"assumption {outcome.assumption} does not hold here: {outcome.message}")
    if outcome.verdict in (Verdict.FLAKY, Verdict.ORDER, Verdict.UNCONFIRMED):
        pytest.xfail(f"{outcome.verdict}: {outcome.message}")
    if outcome.verdict is not Verdict.PASSED:
        pytest.fail(f"{outcome.verdict}: {report}", pytrace=False)
