"""Each check as a test of pytest's."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.report.curl import commands
from contracts.verdict.failure import Outcome, Verdict


def test_the_contract_holds(check: Any, outcome: Outcome, strict: bool) -> None:
    """The promise holds; what is not tried is skipped, and what no contract says may fail."""
    sent = "\n".join(commands(outcome.chain)[0])
    told = f"{check.sentence}\nfounded on {outcome.evidence}: {outcome.message}\n{sent}"
    if outcome.verdict is Verdict.UNTESTED:
        pytest.skip(outcome.message)
    if outcome.verdict is Verdict.ASSUMPTION and not strict:
        pytest.xfail(f"assumption {outcome.assumption} does not hold here: {outcome.message}")
    if outcome.verdict in (Verdict.FLAKY, Verdict.ORDER, Verdict.UNCONFIRMED):
        pytest.xfail(f"{outcome.verdict}: {outcome.message}")
    if outcome.verdict is not Verdict.PASSED:
        pytest.fail(f"{outcome.verdict}: {told}", pytrace=False)
