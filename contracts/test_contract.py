"""Each check as a pytest test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.report.curl import commands
from contracts.verdict.failure import Outcome, Verdict


def test_the_contract_holds(
    check: Any, outcome: Outcome, strict: bool, safe_text: Callable[[str], str]
) -> None:
    """The check passes; untested checks are skipped, and assumptions may fail."""
    message = safe_text(outcome.message)
    if outcome.verdict is Verdict.UNTESTED:
        pytest.skip(message)
    if outcome.verdict in (Verdict.FLAKY, Verdict.ORDER, Verdict.UNCONFIRMED):
        pytest.xfail(f"{outcome.verdict}: {message}")
    worst = outcome.worst
    if worst is not None and outcome.verdict is Verdict.ASSUMPTION and not strict:
        pytest.xfail(f"assumption {worst.assumption} does not hold here: {message}")
    if outcome.verdict is not Verdict.PASSED:
        sent = "\n".join(commands(worst.chain if worst else ())[0])
        evidence = worst.evidence if worst else check.evidence
        report = f"{check.sentence}\nevidence {evidence}: {outcome.message}\n{sent}"
        pytest.fail(safe_text(f"{outcome.verdict}: {report}"), pytrace=False)
