"""How long and how varied a run is."""

from __future__ import annotations

from typing import NamedTuple


class Profile(NamedTuple):
    """The size of what is generated."""

    scenarios: int
    steps: int
    examples: int
    """Cases that fuzzing makes up for each operation, beside those of the coverage phase."""
    workflows: int


PROFILES = {
    "quick": Profile(15, 15, 5, 10),
    "ci": Profile(40, 25, 30, 30),
    "nightly": Profile(200, 40, 200, 200),
}
SEED = 20261121


class Settings(NamedTuple):
    """What a run was asked for."""

    seed: int = SEED
    profile: Profile = PROFILES["quick"]


DEFAULT = Settings()
