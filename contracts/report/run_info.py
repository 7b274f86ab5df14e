"""Description of a run for its reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from contracts.checks.spec import document
from contracts.http.connection import FRESH, Connection, TargetUrl
from contracts.http.redact import Redactor
from contracts.session import Session

_FLAGS = (
    "profile",
    "seed",
    "only",
    "skip",
    "read_only",
    "with_model",
    "strict_assumptions",
    "closed",
    "min_coverage",
)


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
    redact: Redactor
    seconds: float = 0.0
    crash: str = ""
    """Error of the suite itself."""

    def as_data(self) -> dict[str, Any]:
        """JSON object, without the keys."""
        flags, access, given = self.flags, self.session.access, self.flags["target"]
        if given not in FRESH:
            given = TargetUrl.parse(given).words
        connection = Connection.from_flags(flags).words
        model = f" --with-model {flags['with_model']}" if flags["with_model"] else ""
        contract = document().named
        chosen = (
            f" --revision {contract['revision']}" if flags.get("revision") or contract["overlays"] else ""
        )
        learned = f" --profile-file {flags['profile_file']}" if flags.get("profile_file") else ""
        more = f"{model}{chosen}{learned} {connection}".rstrip()
        conditions = f"--profile {flags['profile']} --seed {flags['seed']}{more}"
        return {
            "id": self.session.run.run_id,
            "target": self.session.transport.url,
            "given": given,
            "mock": access.mock,
            "organization_id": access.organization_id,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 2),
            **{name: flags[name] for name in _FLAGS},
            "contract": {**contract, "spoken": self.session.spoken},
            "crash": self.crash or None,
            "roles": list(access.keys),
            "without_key": list(access.missing),
            "again": f"contracts run --target {given} {conditions}{' --read-only' * flags['read_only']}",
            "replay": f"contracts replay {self.folder / 'report.json'}#ID --target {given}{more}",
        }
