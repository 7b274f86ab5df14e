"""Commands that show what a running mock was asked: `logs` and `requests`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import click

from mockserver.client.control import Control
from mockserver.commands.lines import show
from mockserver.commands.remote_command import remote_command
from mockserver.http.wall_time import wall_time

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DAY = 86_400


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator that adds the options that choose exchanges."""
    for name, text in (
        ("caller", "Only requests of this user."),
        ("path", "Only requests of this path."),
        ("operation", "Only requests of this operationId."),
    ):
        command = click.option(f"--{name}", help=text)(command)
    return click.option("--errors", is_flag=True, help="Only answers with a status of 400 or more.")(command)


@click.command("logs")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on.")
@click.option("--since", help="Only from this long ago (30s, 10m, 2h), or from this instant.")
@_filters
@remote_command(sandbox="Only of this sandbox; of all by default. [MOCK_SANDBOX]")
def logs(control: Control, follow: bool, since: str | None, errors: bool, **wanted: str | None) -> None:
    """Show what a running mock was asked and what else has happened, oldest first.

    Each exchange and each change of a sandbox is a line on a terminal, and a JSON object in a pipe.

    \b
    Examples:
      mockserver logs -f
      mockserver logs --errors --since 10m
      mockserver logs -f --operation createSpace --sandbox ci-42
    """
    start = "" if since is None else _start(since)
    only = {name: text for name, text in wanted.items() if text is not None}
    last = 0
    while True:
        timeout = _DAY if follow else 0
        for id_, event in control.events(after=last, timeout=timeout):
            last = id_ or last
            if event.get("wall", start) >= start and _fits(event, errors, only):
                show(event)
        if not follow:
            return


@click.command("requests")
@click.argument("action", type=click.Choice(["list", "count", "find", "show", "clear"]), default="list")
@click.argument("request_id", metavar="[ID]", required=False)
@click.option("--status", type=int, help="Only answers with this status.")
@click.option("--limit", type=click.IntRange(1), help="Most requests to list, the newest ones.")
@_filters
@remote_command()
def requests(
    control: Control, action: str, request_id: str | None, limit: int | None, errors: bool, **wanted: Any
) -> Any:
    """List, count, find, show or clear the requests in the journal.

    `list` and `find` print a line for each, oldest first: readable on a terminal, a JSON object in a pipe.
    `show` prints one exchange, by its x-request-id, with the decision behind its answer.

    \b
    Examples:
      mockserver requests --operation createSpace
      mockserver requests count --status 403
      mockserver requests --errors --limit 20
      mockserver requests show 0a8f29c2-7c34-4d5b-9a63-0f4d5b6b8a11
    """
    criteria = {name: value for name, value in wanted.items() if value is not None}
    if action == "clear":
        return control.requests.clear()
    if action == "show":
        if request_id is None:
            raise click.UsageError("requests show needs an ID, the x-request-id of an answer")
        return control.requests.get(request_id)
    if action == "count" and not errors:
        return {"count": control.requests.count(**_criteria(criteria))}
    if action == "find":
        found = control.requests.find(**_criteria(criteria))["requests"]
    else:
        most = 1000 if errors else limit
        found = control.requests.list(**criteria, limit=most)["requests"][::-1]
    found = [each for each in found if not errors or each["status"] >= 400]
    if action == "count":
        return {"count": len(found)}
    for each in found[-limit:] if limit else found:
        show(each)
    return None


def _criteria(query: Mapping[str, Any]) -> dict[str, Any]:
    """Criteria of `find` and `count`, where the path has another name."""
    return {"urlPath" if name == "path" else name: value for name, value in query.items()}


def _fits(event: Mapping[str, Any], errors: bool, only: Mapping[str, str]) -> bool:
    """Whether to show an event: with a filter, only exchanges that it fits."""
    kind = event["event"]
    if kind in ("heartbeat", "begun"):
        return False
    if kind != "exchange":
        return not errors and not only
    if errors and event["status"] < 400:
        return False
    values = {**event, "path": event["url"].partition("?")[0]}
    return all(values[name] == value for name, value in only.items())


def _start(since: str) -> str:
    """Instant from which on to show; UsageError for a text that is neither a duration nor an instant."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", since)
    try:
        if found is not None:
            ago = timedelta(**{_UNITS[found[2]]: int(found[1])})
            return wall_time(perf_counter() - ago.total_seconds())
        moment = datetime.fromisoformat(since)
        if moment.tzinfo is None:
            raise ValueError
    except (ValueError, OverflowError):
        how = "give a duration such as 30s, 10m or 2h, or an instant such as 2026-02-26T10:30:00Z"
        raise click.UsageError(f"--since {since}: {how}") from None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
