"""Start of a run: the checks that fit, and the first lines of the output."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console
from rich.markup import escape

from contracts.checks.check import Check
from contracts.checks.cost import expected
from contracts.checks.revision import words
from contracts.checks.spec import document
from contracts.pace import QUICK_SECONDS
from contracts.session import Session
from contracts.settings import PROFILES
from contracts.suite import selected


def fitted(session: Session, checks: list[Check], options: dict[str, Any]) -> list[Check]:
    """Checks of the run.

    Where the profile quick would take too long, they are those of small, and `options` say so.
    """
    run, asked = session.run, options["only"] or options["max_time"]
    if options["profile"] == "quick" and not asked and not session.transport.fresh:
        requests = expected(checks, "quick", len(run.roles))
        if session.pace.seconds(requests) > QUICK_SECONDS:
            options["profile"] = "small"
            checks = selected((), options["skip"], "small")
            run.settings = run.settings._replace(profile=PROFILES["small"])
    session.transport.limit.bound(run.settings.profile.most)
    return checks


def announce(console: Console, session: Session, checks: list[Check], profile: str) -> None:
    """Print what is tested, the expected duration, and what is left out."""
    access, run = session.access, session.run
    mock = " (a mock)" if access.mock else ""
    console.print(f"[bold]{len(checks)} checks[/] on {escape(session.transport.url)}{mock}, run {run.run_id}")
    if document().named["overlays"] or session.spoken not in (None, document().revision):
        console.print(f"revision    {words(session.spoken)}", soft_wrap=True)
    if run.ledger.path is not None:
        console.print(f"ledger      {escape(str(run.ledger.path))}", soft_wrap=True)
    for role in access.missing:
        console.print(f"[cyan]no key[/]     for the {role}: set CONTRACTS_{role.upper()}_KEY")
    if not session.transport.fresh:
        requests = expected(checks, profile, len(run.roles))
        console.print(f"expected    {session.pace.words(requests)}, profile {profile}", soft_wrap=True)
    for reason, count in Counter(check.left_out for check in checks if check.left_out).items():
        console.print(f"[cyan]untested[/]    {count} checks {escape(reason)}", soft_wrap=True)
