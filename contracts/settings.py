"""Profiles: the amount of generated data in a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Profile(NamedTuple):
    """Amounts of generated data."""

    examples: int
    """Fuzzing cases for each operation, in addition to the coverage phase."""
    sequences: int
    """Random sequences in lock step."""
    recorded: int | None
    """Recorded sequences in lock step, shortest first; None for all."""
    cases: int | None = None
    """Most generated requests for each operation; None for all."""
    most: int | None = None
    """Most requests of a run; checks beyond it are left out, weakest evidence first. None for all checks."""


PROFILES = {
    "small": Profile(1, 0, 2, cases=15, most=1500),
    "quick": Profile(0, 0, 20),
    "ci": Profile(30, 60, None),
    "nightly": Profile(200, 1000, None),
}
SEED = 20261121


class RunSettings(NamedTuple):
    """Seed and profile of a run."""

    seed: int = SEED
    profile: Profile = PROFILES["quick"]
    closed: bool = False
    """Whether a field of a response that openapi.yaml does not have breaks the contract."""
    profile_file: str | None = None
    """Profile of the target, which the model of lock step follows."""
    learned: Mapping[str, bool] = {}
    """Assumptions that the profile answers: whether the target does what is assumed."""


DEFAULT = RunSettings()
