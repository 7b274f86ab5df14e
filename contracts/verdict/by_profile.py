"""Failures as the profile of the target judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from contracts.verdict.failure import Failure, Verdict


def by_profile(failures: Sequence[Failure], learned: Mapping[str, bool]) -> list[Failure]:
    """Failures without those that an alternative of the profile explains.

    The model of lock step follows the profile, so that a difference from it is not explained.
    """
    found = []
    for failure in failures:
        holds = learned.get(failure.assumption or "")
        if failure.confirmed is not Verdict.ASSUMPTION or holds is None or failure.check.layer == "lockstep":
            found.append(failure)
        elif holds:
            said, broken = f"the profile says that {failure.assumption} is as assumed: ", failure.broken
            what = said + broken.what if broken.what else ""
            told = replace(broken, message=said + broken.message, what=what)
            found.append(failure._replace(broken=told))
    return found
