"""Description of a run for its reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class RunInfo(NamedTuple):
    """Identity, options and target of a run."""

    target: str
    given: str
    """Target as passed on the command line."""
    run_id: str
    organization_id: str
    started: datetime
    clock: float
    """Monotonic time of the start."""
    seconds: float = 0.0
    mock: bool = False
    profile: str = "quick"
    seed: int = 0
    only: tuple[str, ...] = ()
    read_only: bool = False
    with_model: int = 0
    strict_assumptions: bool = False
    keys: Mapping[str, str] = {}
    """By role; never reported."""
    missing: tuple[str, ...] = ()
    """Roles without a key."""
    crash: str = ""
    """Error of the suite itself."""
    report: str = "report.json"
    """Path of the report, for the replay command."""

    def as_data(self) -> dict[str, Any]:
        """JSON object, without the keys."""
        model = f" --with-model {self.with_model}" if self.with_model else ""
        conditions = f"--profile {self.profile} --seed {self.seed}{model}{' --read-only' * self.read_only}"
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
            "again": f"contracts run --target {self.given} {conditions}",
            "replay": f"contracts replay {self.report}#ID --target {self.given}{model}",
        }
