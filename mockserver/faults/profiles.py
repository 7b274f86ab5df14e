"""Predefined lists of fault rules; omitted fields have their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PROFILES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "slow": [
        {"name": "slow", "delay": {"type": "lognormal", "median": 400, "sigma": 0.5}},
    ],
    "flaky": [
        {"name": "flaky-unavailable", "probability": 0.1, "error": {"status": 503, "retry_after": 1}},
        {"name": "flaky-broken", "probability": 0.05, "error": {"status": 500}},
        {"name": "flaky-cut", "probability": 0.05, "damage": {"kind": "truncate"}},
        {"name": "flaky-slow", "probability": 0.2, "delay": {"type": "uniform", "lower": 200, "upper": 1000}},
    ],
    "brownout": [
        {
            "name": "brownout-unavailable",
            "probability": 0.3,
            "delay": {"type": "uniform", "lower": 500, "upper": 2000},
            "error": {"status": 503, "retry_after": 2},
        },
        {"name": "brownout-slow", "delay": {"type": "lognormal", "median": 1000, "sigma": 0.6}},
    ],
    "rate-limited": [
        {"name": "rate-limited", "every": 3, "error": {"status": 429, "retry_after": 1}},
    ],
    "offline": [
        {"name": "offline", "damage": {"kind": "reset"}, "handled": False},
    ],
}
"""A rule's name is also its id."""
