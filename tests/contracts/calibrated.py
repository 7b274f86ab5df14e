"""Ten random alternatives at once, calibrated back: `python -m tests.contracts.calibrated [SEEDS]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from contracts.calibration.calibrate import AS_ASSUMED, calibrate
from contracts.calibration.probes import PROBES
from contracts.calibration.table import followed
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.safety.ledger import Ledger
from mockserver.app import create_app
from mockserver.settings import Settings
from tests.test_profile import profile

NEWER = "2026-05"
OF_NEWER = ("A120",)
"""Assumptions of the revision 2026-05."""
UNKNOWN = {"A120": {"not probed": "it is of revision 2026-05"}}
PROBED = [id_ for id_ in PROBES if followed(id_)]


def run_on(folder: Path, chosen: dict[str, Any], revision: str = "2026-02") -> Run:
    """Run on a mock that follows these alternatives."""
    file = Path(profile(folder, **chosen))
    file.write_text(file.read_text("utf-8").replace("2026-02", revision), "utf-8")
    settings = Settings.model_construct(quiet=True, profile=str(file), revision=revision)
    transport = InProcess(create_app(settings))
    run = Run(transport, DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="calibration", model_calls=50)
    run.revision = revision
    if revision == NEWER:
        run.requires_organization = lambda _, path: path.startswith("/v1/spaces/")
    return run


def found(run: Run, *only: str) -> dict[str, Any]:
    """Entries of the assumptions that have a probe."""
    return {
        each.assumption: each.entry
        for each in calibrate(run, only, is_mock=True)
        if each.assumption in PROBES
    }


def of_seed(folder: Path, seed: int) -> tuple[Run, dict[str, Any]]:
    """Run on a mock that follows ten random alternatives, and these."""
    random = Random(seed)
    ids = random.sample([id_ for id_ in PROBED if id_ not in OF_NEWER], 10)
    chosen = {id_: random.choice(followed(id_)) for id_ in ids}
    return run_on(folder, chosen), chosen


def main(seeds: int) -> int:
    """Print the seeds whose alternatives are not all calibrated back; returns their number."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            run, chosen = of_seed(Path(folder), seed)
            seen = found(run)
            expected = {**dict.fromkeys(seen, AS_ASSUMED), **chosen, **UNKNOWN}
            if differing := {id_: (expected[id_], seen[id_]) for id_ in seen if seen[id_] != expected[id_]}:
                wrong += 1
                print(f"seed {seed}: {differing}")
    print(f"{seeds - wrong} of {seeds} combinations of ten are calibrated back")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)))
