"""Requests that checks are expected to send, and the checks that fit a limited profile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

from contracts.checks.check import Check
from contracts.settings import PROFILES

MEASURED = ("small", "quick", "ci")
"""Profiles that were measured, in the order of the columns of costs.json."""
SHARE = 0.85
"""Part of a limited profile's requests that is planned; the rest is for retries of failures."""
PER_ROLE = 6
"""Requests for each role at the start of a run, to list what exists."""


@cache
def _costs() -> dict[str, list[int]]:
    costs: dict[str, list[int]] = json.loads((resources.files("contracts") / "costs.json").read_text("utf-8"))
    return costs


def cost(check: Check, profile: str) -> int:
    """Requests of a check that passes, with the deletion of what it creates, as measured on a mock."""
    known = _costs().get(check.id, [0] * len(MEASURED))
    if profile in MEASURED:
        return known[MEASURED.index(profile)]
    few, many, size = PROFILES["quick"], PROFILES["ci"], PROFILES[profile]
    if check.layer == "lockstep":
        return round(known[1] + (known[2] - known[1]) * size.sequences / many.sequences)
    grown = (size.examples - few.examples) / (many.examples - few.examples)
    return round(known[1] + (known[2] - known[1]) * grown)


def expected(checks: Sequence[Check], profile: str, roles: int) -> int:
    """Requests of a run of these checks in which all pass."""
    return roles * PER_ROLE + sum(cost(check, profile) for check in checks if not check.left_out)


def fitting(checks: Sequence[Check], profile: str) -> set[str]:
    """Ids of the checks that a profile runs: generated ones, then the cheapest of the strongest evidence."""
    most = PROFILES[profile].most
    if most is None:
        return {check.id for check in checks}
    left, found = round(most * SHARE) - PER_ROLE * 6, set[str]()
    for check in sorted(checks, key=lambda c: (c.layer == "behaviour", -c.evidence, cost(c, profile))):
        if cost(check, profile) <= left:
            left -= cost(check, profile)
            found.add(check.id)
    return found
