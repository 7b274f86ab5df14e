"""Which run a report is of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class About(NamedTuple):
    """The run, and on what terms it went."""

    target: str
    given: str
    """The target as it was given: what to say to run it again."""
    run_id: str
    organization_id: str
    started: datetime
    clock: float
    """What the monotonic clock said then."""
    seconds: float = 0.0
    mock: bool = False
    profile: str = "quick"
    seed: int = 0
    only: tuple[str, ...] = ()
    read_only: bool = False
    with_model: int = 0
    strict_assumptions: bool = False
    keys: Mapping[str, str] = {}
    """By role. They are never told."""
    missing: tuple[str, ...] = ()
    """Roles without a key."""
    crash: str = ""
    """What went wrong in the suite itself."""
    report: str = "report.json"
    """Where the report is, for the command that replays a failure of it."""

    def as_data(self) -> dict[str, Any]:
        """Everything but the keys."""
        model = f" --with-model {self.with_model}" if self.with_model else ""
        terms = f"--profile {self.profile} --seed {self.seed}{model}{' --read-only' * self.read_only}"
        return {
            "id": self.run_id,
            "target": self.target,
            "given": self.given,
            "mock": self.mock,
            "organization_id": self.organization_id,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 2),
            "profile": self.profile,
            "seed": self.seed,
            "only": list(self.only),
            "read_only": self.read_only,
            "with_model": self.with_model,
            "strict_assumptions": self.strict_assumptions,
            "crash": self.crash or None,
            "roles": list(self.keys),
            "without_key": list(self.missing),
            "again": f"contracts run --target {self.given} {terms}",
            "replay": f"contracts replay {self.report}#ID --target {self.given}{model}",
        }
