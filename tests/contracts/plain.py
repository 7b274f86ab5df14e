"""Measures how many mutants of the mock plain Schemathesis catches.

Each mutant is tried once, in this process, with the defaults of `st run` and the demo owner's key. A failure
counts if the correct mock does not have it too. What came of it is kept in plain.json, by mutant.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis.internal import lambda_sources
from schemathesis.checks import load_all_checks
from schemathesis.engine import Status, events, from_schema
from schemathesis.transport.wsgi import WSGITransport

from mockserver.app import MockServer, bundled_spec
from tests.contracts.mutants import MUTANTS, Mutant, damaged
from tests.contracts.mutants.source import fingerprint
from tests.contracts.strength import PLAIN as KEPT
from tests.contracts.strength import fresh_app, keep
from tests.contracts.strength import rows as kept

KEY = "ak_demo_owner"
SEED = 20260226
CORRECT = "no mutant"
"""The row of the correct mock."""
CONFIG: dict[str, Any] = {
    "workers": 1,  # more fail on Python 3.11
    "cache": {"enabled": False},  # nothing that it learned from another mutant
    "generation": {"database": "none"},
    "auth": {"openapi": {"ApiKeyAuth": {"api_key": KEY}}},
}
_SOCKET = ("max_redirects", "verify", "cert", "proxies")
_send = WSGITransport.send


def _without_a_socket(self: Any, case: Any, *, session: Any = None, **options: Any) -> Any:
    return _send(self, case, session=session, **{n: v for n, v in options.items() if n not in _SOCKET})


WSGITransport.send = _without_a_socket  # type: ignore[method-assign]  # its probes give it what only a socket takes

lambda_sources.lambda_description = lambda _: "lambda ...: <unknown>"  # for messages alone, and slow


def failures(app: MockServer, seed: int = SEED) -> Iterator[str]:
    """Failures of a default run as operation, check and title, duplicates included."""
    load_all_checks()
    config = schemathesis.Config.from_dict({**CONFIG, "seed": seed})
    schema: Any = schemathesis.openapi.from_wsgi("/openapi.json", _document_and(app), config=config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = from_schema(schema).execute()
        try:
            for event in stream:
                if isinstance(event, events.ScenarioFinished):
                    yield from _told(event.recorder)
        finally:
            stream.stop()


def _told(recorder: Any) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        for node in checks:
            if node.status == Status.FAILURE and node.failure_info is not None:
                label = recorder.cases[case_id].value.operation.label
                yield f"{label} {node.name} {node.failure_info.failure.title}"


def _document_and(app: MockServer) -> Any:
    """Mock that also serves the document that it is checked against."""
    import yaml

    text = json.dumps(yaml.safe_load(bundled_spec().read_text("utf-8")), default=str).encode()

    def serve(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"] == "/openapi.json":
            start("200 OK", [("Content-Type", "application/json")])
            return [text]
        return app(environ, start)

    return serve


def tried(app: MockServer, mutant: Mutant, known: frozenset[str]) -> dict[str, Any]:
    """First failure on the mutant that the correct mock lacks, and the seconds until then."""
    started = time.monotonic()
    with damaged(app, mutant):
        run = failures(app)
        found = next((failure for failure in run if failure not in known), "")
        run.close()  # type: ignore[attr-defined]  # it is a generator
    return {"found": found, "seconds": round(time.monotonic() - started, 1)}


def of_the_correct_mock(app: MockServer) -> dict[str, Any]:
    """Failures of three default runs on the correct mock."""
    started = time.monotonic()
    found: set[str] = set()
    for seed in range(SEED, SEED + 3):
        with damaged(app, None):
            found |= set(failures(app, seed))
    return {"found": sorted(found), "seconds": round((time.monotonic() - started) / 3, 1)}


def main(names: list[str]) -> int:
    """Measure new and changed mutants; always 0, since it measures Schemathesis only."""
    gc.set_threshold(100_000, 20, 20)
    app = fresh_app()
    rows = kept(KEPT)
    if CORRECT not in rows:
        rows[CORRECT] = of_the_correct_mock(app)
        keep(KEPT, rows)
    known = frozenset(rows[CORRECT]["found"])
    spread = [mutant for start in range(4) for mutant in MUTANTS[start::4]]  # so that a part is a fair sample
    for mutant in spread:
        source = fingerprint(mutant)
        if (names and mutant.name not in names) or rows.get(mutant.name, {}).get("source") == source:
            continue
        rows[mutant.name] = {"source": source, **tried(app, mutant, known)}
        keep(KEPT, rows)
        print(rows[mutant.name]["seconds"], mutant.name, rows[mutant.name]["found"], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
