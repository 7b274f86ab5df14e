"""Session: opens the target, creates the run, and deletes its resources however it ends."""

from __future__ import annotations

import re
import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from contracts.checks.check import Check
from contracts.checks.errors import CleanUpStopped, Unwritable, Usage
from contracts.checks.revision import address_by, spoken_revision
from contracts.checks.spec import document, judged_by
from contracts.generated.hypothesis_patches import patch_hypothesis
from contracts.http.connection import FRESH, Connection, seconds
from contracts.http.credentials import TargetAccess, open_target, redactor
from contracts.http.documents import learned, revisions
from contracts.http.keys import require_usable_keys
from contracts.http.run import Run
from contracts.http.target import open_transport
from contracts.http.transport import RequestLimit, Transport
from contracts.pace import Pace
from contracts.safety.ledger import Ledger
from contracts.safety.unanswered import existing_ids, reconcile
from contracts.settings import PROFILES, SEED, RunSettings

PATIENCE = 3.0
"""Seconds by which a list of a deployment may lag behind a write, to be found as such."""


class Options(NamedTuple):
    """Options of a run, from the command's flags."""

    target: str
    read_only: bool = False
    space_id: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    rate_limit: str | None = None
    max_requests: int | None = None
    max_time: str | None = None
    with_model: int = 0
    report_dir: Path | None = None
    seed: int = SEED
    profile: str = "quick"
    closed: bool = False
    profile_file: Path | None = None
    """Profile of the target."""
    revision: str | None = None
    """Revision that judges; None for the one that the target speaks."""
    connection: Connection = Connection()

    @classmethod
    def from_flags(cls, flags: Mapping[str, Any]) -> Options:
        """Options among the flags of a command."""
        values = {name: flags[name] for name in cls._fields if name in flags}
        return cls(**values, connection=Connection.from_flags(flags))


class Session(NamedTuple):
    """Open target with its run."""

    transport: Transport
    access: TargetAccess
    run: Run
    until: float | None
    """Monotonic time at which to stop."""
    folder: Path | None
    """Folder of the ledger and reports; None for a fresh mock without --report-dir."""
    signals: list[int]
    """Numbers of the signals (SIGINT, SIGTERM) that ask the run to stop, in order of arrival."""
    pace: Pace
    """Speed of the target when existing resources were listed."""
    spoken: str | None = None
    """Revision that the target speaks; None if it was not asked, or its answer does not show it."""


@contextmanager
def reached(
    options: Options, environ: Mapping[str, str], run_id: str | None = None, limit: RequestLimit | None = None
) -> Iterator[tuple[Transport, TargetAccess, str | None]]:
    """Open transport, its access, and the revision that the target speaks, if that is known.

    During the block the revision of the options judges, else the spoken one.
    """
    with ExitStack() as stack:
        if options.revision is not None:  # an unknown one is reported before anything is sent
            stack.enter_context(judged_by(options.revision))
        limit = limit or limit_of(options)
        transport = open_transport(options.target, limit, options.connection, options.revision)
        stack.callback(transport.close)
        access = open_target(transport, environ, run_id)
        spoken = spoken_revision(transport, access.keys["owner"])
        if options.revision is None:
            stack.enter_context(judged_by(spoken or revisions()[0]))
        yield transport, access, spoken


@contextmanager
def opened(
    options: Options, checks: list[Check], environ: Mapping[str, str], say: Callable[[str], Any]
) -> Iterator[Session]:
    """Open a session; `say` receives a line for each resource that remains at its end."""
    patch_hypothesis()
    limit = limit_of(options)
    until = time.monotonic() + seconds(options.max_time, "--max-time") if options.max_time else None
    run_id = secrets.token_hex(4)
    limit.end_at(until)
    with reached(options, environ, run_id, limit) as (transport, access, spoken):
        folder = options.report_dir
        if folder is None and options.target not in FRESH:
            folder = Path(tempfile.mkdtemp(prefix="contracts-"))
        signals: list[int] = []

        def stop(number: int, _: object) -> None:
            signals.append(number)
            raise KeyboardInterrupt(number)

        with _handled(stop, signal.SIGTERM, signal.SIGINT):
            asks = any(check.layer == "behaviour" for check in checks)
            mask = redactor(options.target, options.connection, environ)
            try:
                run = _new_run(options, transport, access, run_id, folder, mask, asks=asks, spoken=spoken)
            except OSError as error:
                why = f"the folder {folder} can't be written: {error.strerror or error}"
                raise Unwritable(f"{why}; pass another --report-dir") from error
            try:
                pace = Pace.of(run.chain, limit.per_minute)
                if options.target not in FRESH:
                    require_usable_keys(run)
                run.settling.patience = 0.0 if access.mock else PATIENCE
                yield Session(transport, access, run, until, folder, signals, pace, spoken)
            finally:
                try:
                    clean = _clean_up(run, say)
                except KeyboardInterrupt:
                    again = f"; run {_again(run)}" if run.ledger.path is not None else ""
                    why = f"stopped while deleting the created resources{again}"
                    raise CleanUpStopped(why, signals[0]) from None
        if clean and folder is not None and options.report_dir is None:
            if run.ledger.path is not None:
                run.ledger.path.unlink(missing_ok=True)
            with suppress(OSError):  # the folder has other files
                folder.rmdir()


def _new_run(
    options: Options,
    transport: Transport,
    access: TargetAccess,
    run_id: str,
    folder: Path | None,
    mask: Callable[[Any], Any],
    *,
    asks: bool,
    spoken: str | None,
) -> Run:
    """`asks`: whether behaviour checks run; two thirds of the model calls are reserved for them.

    `spoken`: revision that the target speaks.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    writes = folder is not None and not options.read_only
    ledger = Ledger(folder / f"ledger-{run_id}.jsonl" if folder is not None and writes else None, mask)
    run = Run(
        transport,
        access.keys,
        access.organization_id,
        ledger=ledger,
        run_id=run_id,
        read_only=options.read_only,
        space_ids=options.space_id,
        model_calls=options.with_model,
        reserved_calls=options.with_model * 2 // 3 if asks else 0,
        settings=settings_of(options),
        settle=options.connection.settle,
    )
    run.requires_organization = address_by(spoken)
    run.revision = spoken or document().revision
    if writes:
        about = {"target": transport.url, "organization_id": access.organization_id, "clock": access.clock}
        ledger.begin(run=run_id, **about, before=existing_ids(run))
    return run


def _clean_up(run: Run, say: Callable[[str], Any]) -> bool:
    """Delete everything that the run created; returns whether nothing remains."""
    left = [f"left behind  {entry}" for entry in run.clean_up()]
    left += [f"unsure       {entry}" for entry in reconcile(run).unsure]
    for entry in left:
        say(entry)
    if left and run.ledger.path is not None:
        say(f"             try `{_again(run)}` later")
    return not left


def _again(run: Run) -> str:
    """Command that deletes what a run left behind."""
    return f"contracts cleanup {run.ledger.path} --target {run.ledger.about['target']}"


@contextmanager
def _handled(handler: Any, *numbers: signal.Signals) -> Iterator[None]:
    """Handle signals during the block, but those that the process ignores; in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    old = {number: signal.signal(number, handler) for number in heeded}
    try:
        yield
    finally:
        for number, before_it in old.items():
            signal.signal(number, before_it)


def settings_of(options: Options) -> RunSettings:
    """Settings of the flags; Usage for a bad profile."""
    settings = RunSettings(options.seed, PROFILES[options.profile], options.closed)
    if options.profile_file is None:
        return settings
    file = str(options.profile_file)
    try:
        return settings._replace(profile_file=file, learned=learned(file))
    except ValueError as error:
        raise Usage(f"--profile-file: {error}") from error


def limit_of(options: Options) -> RequestLimit:
    """Rate and budget of the flags."""
    return RequestLimit(per_second(options.rate_limit), options.max_requests)


def per_second(text: str | None) -> float | None:
    """Parse a rate into requests per second."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)/(s|m)", text)
    if match is None or float(match[1]) == 0:
        raise Usage(f"--rate-limit {text}: expected a form like 50/s or 600/m")
    return float(match[1]) / (1 if match[2] == "s" else 60)
