"""Description of a run for its reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from contracts.session import Session

_FLAGS = ("profile", "seed", "only", "read_only", "with_model", "strict_assumptions", "min_coverage")


class RunInfo(NamedTuple):
    """Session of a run, its flags, and when it took place."""

    session: Session
    flags: Mapping[str, Any]
    """Flags of the command."""
    folder: Path
    """Folder of the reports, for the replay command."""
    started: datetime
    clock: float
    """Monotonic time of the start."""
    seconds: float = 0.0
    crash: str = ""
    """Error of the suite itself."""

    @property
    def keys(self) -> Mapping[str, str]:
        """Keys by role; never reported."""
        return self.session.access.keys

    def as_data(self) -> dict[str, Any]:
        """JSON object, without the keys."""
        flags, access, given = self.flags, self.session.access, self.flags["target"]
        model = f" --with-model {flags['with_model']}" if flags["with_model"] else ""
        conditions = f"--profile {flags['profile']} --seed {flags['seed']}{model}"
        return {
            "id": self.session.run.run_id,
            "target": self.session.transport.url,
            "given": given,
            "mock": access.mock,
            "organization_id": access.organization_id,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 2),
            **{name: flags[name] for name in _FLAGS},
            "crash": self.crash or None,
            "roles": list(access.keys),
            "without_key": list(access.missing),
            "again": f"contracts run --target {given} {conditions}{' --read-only' * flags['read_only']}",
            "replay": f"contracts replay {self.folder / 'report.json'}#ID --target {given}{model}",
        }
