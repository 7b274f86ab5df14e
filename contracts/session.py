"""One run: from what was asked for to the checks, and everything removed at the end, however it ends."""

from __future__ import annotations

import re
import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from contracts.checks.check import Check
from contracts.checks.errors import Usage
from contracts.generated.hypothesis_patches import hasten
from contracts.http.credentials import Access, open_target
from contracts.http.exchange import Transport
from contracts.http.rate import Limit
from contracts.http.run import Team
from contracts.http.target import FRESH, open_transport
from contracts.safety.ledger import Ledger
from contracts.safety.unanswered import before, settle
from contracts.settings import PROFILES, SEED, Settings


class Options(NamedTuple):
    """What a run was asked for, by its flags."""

    target: str
    read_only: bool = False
    space_id: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    rate_limit: str | None = None
    max_requests: int | None = None
    max_time: str | None = None
    with_model: int = 0
    report_dir: Path | None = None
    seed: int = SEED
    profile: str = "quick"

    @classmethod
    def among(cls, given: Mapping[str, Any]) -> Options:
        """Those of the flags that are about the run itself."""
        return cls(**{name: given[name] for name in cls._fields if name in given})


class Session(NamedTuple):
    """A target, and who the suite is there."""

    transport: Transport
    access: Access
    team: Team
    checks: list[Check]
    until: float | None
    """When to stop, in monotonic seconds."""
    folder: Path | None
    """Where the ledger is, and reports may go; None for a fresh mock, unless one was named."""
    terminated: list[int]
    """Not empty once SIGTERM came, which ends a run as Ctrl-C does."""


@contextmanager
def opened(
    options: Options, checks: list[Check], environ: Mapping[str, str], say: Callable[[str], Any]
) -> Iterator[Session]:
    """The session; Usage or Unreachable if there can be none. `say` hears what is left, line by line."""
    hasten()
    limit = Limit(per_second(options.rate_limit), options.max_requests)
    until = time.monotonic() + seconds(options.max_time) if options.max_time else None
    run_id = secrets.token_hex(4)
    transport = open_transport(options.target, limit)
    try:
        access = open_target(transport, environ, run_id)
        folder = options.report_dir
        if folder is None and options.target not in FRESH:
            folder = Path(tempfile.mkdtemp(prefix="contracts-"))
        terminated: list[int] = []
        with _terminating(terminated):
            asks = any(check.layer == "behaviour" for check in checks)
            team = _team(options, transport, access, run_id, folder, asks=asks)
            try:
                yield Session(transport, access, team, checks, until, folder, terminated)
            finally:
                with _undisturbed():
                    whole = _leave(team, say)
        if whole and folder is not None and options.report_dir is None:
            _forget(team, folder)
    finally:
        transport.close()


def _forget(team: Team, folder: Path) -> None:
    """Leave no ledger of a run that left nothing else."""
    if team.ledger.path is not None:
        team.ledger.path.unlink(missing_ok=True)
    with suppress(OSError):  # something else is in it
        folder.rmdir()


def _team(
    options: Options, transport: Transport, access: Access, run_id: str, folder: Path | None, *, asks: bool
) -> Team:
    """`asks`: whether some checks ask a model on purpose; two of three questions are kept for these."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    writes = folder is not None and not options.read_only
    ledger = Ledger(folder / f"ledger-{run_id}.jsonl" if folder is not None and writes else None)
    team = Team(
        transport,
        access.keys,
        access.organization_id,
        ledger=ledger,
        run_id=run_id,
        read_only=options.read_only,
        space_ids=options.space_id,
        model_calls=options.with_model,
        kept_calls=options.with_model * 2 // 3 if asks else 0,
        settings=Settings(options.seed, PROFILES[options.profile]),
    )
    if writes:
        about = {"target": transport.url, "organization_id": access.organization_id, "clock": access.clock}
        ledger.begin(run=run_id, **about, before=before(team))
    return team


def _leave(team: Team, say: Callable[[str], Any]) -> bool:
    """Remove everything that the run made; whether nothing is left."""
    left = [f"left behind  {entry}" for entry in team.clean_up()]
    left += [f"unsure       {entry}" for entry in settle(team).unsure]
    for entry in left:
        say(entry)
    if left and team.ledger.path is not None:
        say(f"             try `contracts cleanup {team.ledger.path}` later")
    return not left


@contextmanager
def _terminating(came: list[int]) -> Iterator[None]:
    """SIGTERM is noted, and raises KeyboardInterrupt."""

    def stop(number: int, _: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    with _handled(stop, signal.SIGTERM):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Neither SIGTERM nor Ctrl-C does anything meanwhile."""
    with _handled(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM):
        yield


@contextmanager
def _handled(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before_it in old.items():
            signal.signal(number, before_it)


def per_second(text: str | None) -> float | None:
    """A rate."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)/(s|m)", text)
    if match is None or float(match[1]) == 0:
        raise Usage(f"--rate-limit {text}: give it like 50/s or 600/m")
    return float(match[1]) / (1 if match[2] == "s" else 60)


def seconds(text: str) -> float:
    """A duration."""
    match = re.fullmatch(r"(\d+)(s|m|h)", text)
    if match is None:
        raise Usage(f"--max-time {text}: give it like 90s, 10m or 1h")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
