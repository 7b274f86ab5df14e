"""The commands `mockserver record …`."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import click

from mockserver.client.child import Child
from mockserver.commands.announcing import print_error
from mockserver.commands.running import fail
from mockserver.files import write_whole

if TYPE_CHECKING:
    from mockserver.recordings.recorded import RecordedExchange

DIFFERENT = 1
"""Exit code if an answer differs."""
_LONGEST = 100
"""Characters of a value that is printed."""
_SETTLE = click.option(
    "--settle",
    type=click.FloatRange(0, 3600),
    default=2.0,
    metavar="S",
    help="Seconds for which a read is repeated until it answers as recorded, 2 by default.",
)


@click.group()
def record() -> None:
    """Use a recording of `mockserver proxy --record`.

    \b
    Examples:
      mockserver record replay walk.har --target http://127.0.0.1:4010
      mockserver record to-scenario walk.har --at start -o walk.yaml
      mockserver record compare walk.har

    \b
    Exit codes: see each command.
    """


@record.command()
@click.argument("file")
@click.option("--target", required=True, metavar="URL", help="Server to send the requests to.")
@click.option(
    "--allow-writes", is_flag=True, help="Send writes to a target that is not on this machine, too."
)
@click.option("--ca", metavar="FILE", help="Trust these certificates (PEM) instead of the usual ones.")
@_SETTLE
def replay(file: str, target: str, ca: str | None, settle: float, *, allow_writes: bool) -> None:
    """Send the recorded requests to another server, and compare the answers.

    Ids that the target gives itself take the place of the recorded ones. Times are compared by their
    distance from the start, texts of a model not by their words. The key of a role is read from
    CONTRACTS_<ROLE>_KEY, or FREDDY_API_KEY for owner; a mock on this machine needs none.

    \b
    Examples:
      mockserver record replay walk.har --target http://127.0.0.1:4010

    \b
    Exit codes: 0 all answers are alike; 1 some differ; 2 the recording, a flag or a key can't be used, or the
    target does not answer.
    """
    recording, local = _read(file), _is_local(target)
    if not local and not allow_writes and any(each.method not in ("GET", "HEAD") for each in recording):
        elsewhere = f"--target: {target} is not this machine, and the recording writes"
        fail(ValueError(f"{elsewhere}; add --allow-writes"))
    _replay(recording, target, lambda role: _key(role, local=local), settle, ca=ca)


@record.command()
@click.argument("file")
@click.option(
    "--scenario", metavar="FILE", help="Compare with a mock of this scenario, in place of the inferred one."
)
@_SETTLE
def compare(file: str, scenario: str | None, settle: float) -> None:
    """Compare the recorded answers with those of a mock that starts from what the recording shows.

    The same as to-scenario --at start, and a replay on a mock of that scenario. What is different is a
    difference of the server from the mock, or follows from what could not be inferred, which is listed.

    \b
    Examples:
      mockserver record compare walk.har

    \b
    Exit codes: 0 all answers are alike; 1 some differ; 2 the recording or the scenario can't be used.
    """
    recording = _read(file)
    with TemporaryDirectory() if scenario is None else nullcontext("") as folder:
        if scenario is None:
            scenario = str(Path(folder) / "start.yaml")
            for line in _write_scenario(recording, scenario, at_end=False)[1]:
                print_error(f"not inferred: {line}")
        child = Child("--scenario", scenario, "--quiet")
        if child.ready is None:
            child.end()
            sys.exit(child.process.returncode)
        click.get_current_context().call_on_close(child.end)
        _replay(recording, child.ready["url"], lambda role: f"ak_demo_{role}", settle)


@record.command("to-scenario")
@click.argument("file")
@click.option(
    "--at",
    "when",
    type=click.Choice(("start", "end")),
    required=True,
    help="start: as it was before the first recorded request, for a replay; end: to go on from.",
)
@click.option("--output", "-o", required=True, metavar="FILE", help="Scenario file to write (YAML).")
def to_scenario(file: str, when: str, output: str) -> None:
    """Write the records that a recording shows as a scenario of the mock.

    Users and their rights follow from who got what. What could not be inferred is listed, one line each.
    The key of a role is ak_demo_<role>.

    \b
    Examples:
      mockserver record to-scenario walk.har --at start -o walk.yaml
      mockserver serve --scenario walk.yaml

    \b
    Exit codes: 0 it is written, and a valid scenario; 2 the recording or the file can't be used.
    """
    content, unsure = _write_scenario(_read(file), output, at_end=when == "end")
    for line in unsure:
        print_error(f"not inferred: {line}")
    shown = ("spaces", "threads", "users")
    counts = ", ".join(f"{len(content[kind])} {kind}" for kind in shown)
    click.echo(f"{output}: {counts}; {len(unsure)} not inferred")


def _read(file: str) -> list[RecordedExchange]:
    from mockserver.recordings.recorded import RecordingError, read

    try:
        return read(Path(file))
    except RecordingError as error:
        fail(error)


def _write_scenario(
    recording: Sequence[RecordedExchange], output: str, *, at_end: bool
) -> tuple[dict[str, Any], list[str]]:
    """Write the scenario that a recording shows, and check it; its content, and what is not inferred."""
    import yaml

    from mockserver.app import create_app
    from mockserver.openapi.yaml_document import DocumentError
    from mockserver.recordings.scenario import scenario_of
    from mockserver.settings import Settings

    try:
        content, unsure = scenario_of(recording, at_end=at_end)
        write_whole(Path(output), yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110))
        create_app(Settings(scenario=output, quiet=True))
    except DocumentError as error:
        fail(ValueError(f"what it shows is no scenario of this mock: {error}"))
    except OSError as error:
        fail(ValueError(f"-o {output}: {error.strerror}"))
    return content, unsure


def _replay(
    recording: Sequence[RecordedExchange],
    target: str,
    key: Callable[[str], str | None],
    settle: float,
    *,
    ca: str | None = None,
) -> NoReturn:
    """Replay a recording, print every difference, and exit."""
    from mockserver.http.problems import MockOwnError
    from mockserver.proxy.options import ProxyOptions
    from mockserver.proxy.target import ProxyTarget
    from mockserver.recordings.replay import NoKey, Replay

    counts: Counter[str] = Counter()
    try:
        to = ProxyTarget(ProxyOptions.of({"target": target, "ca": ca}))
        click.get_current_context().call_on_close(to.close)
        for outcome in Replay(to, key, settle).run(recording):
            about = f"{outcome.recorded.order} {outcome.recorded.method} {outcome.recorded.path}"
            counts[outcome.skipped or ("different" if outcome.differences else "alike")] += 1
            lines = [
                f"{about}: {each.kind} {each.pointer or '/'}: {_short(each.left)} -> {_short(each.right)}"
                for each in outcome.differences
            ]
            for line in dict.fromkeys(lines):  # of several items once
                click.echo(line)
    except ValueError as error:
        fail(error)
    except NoKey as error:
        fail(ValueError(f"no key for {error}: set CONTRACTS_<ROLE>_KEY, with the role's name in capitals"))
    except (MockOwnError, OSError) as error:
        fail(ValueError(f"the target does not answer: {getattr(error, 'reason', error)}"))
    alike, different = counts.pop("alike", 0), counts.pop("different", 0)
    click.echo(f"{alike + different} compared, {different} different, {counts.total()} not sent")
    for why, count in counts.items():
        print_error(f"{count} not sent: {why}")
    sys.exit(DIFFERENT if different else 0)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _is_local(target: str) -> bool:
    host = urlsplit(target).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _key(role: str, *, local: bool) -> str | None:
    """Key of a role, from the environment; the demo key for a target on this machine."""
    given = os.environ.get(f"CONTRACTS_{role.upper()}_KEY") or (
        os.environ.get("FREDDY_API_KEY") if role == "owner" else None
    )
    return given or (f"ak_demo_{role}" if local and re.fullmatch("[a-z0-9_]+", role) else None)
