"""The flags of the commands. Each has a twin in the environment, named in brackets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
SPEC = click.option("--spec", metavar="FILE", help="Another openapi.yaml than the one inside. [MOCK_SPEC]")
SCENARIO = click.option(
    "--scenario",
    metavar="NAME|FILE",
    help="The starting state: demo (the default), empty, or a YAML file of yours. [MOCK_SCENARIO]",
)
SERVE = (
    click.option("--host", help="Address to listen on; 127.0.0.1 unless told otherwise. [MOCK_HOST]"),
    click.option(
        "--port",
        metavar="N",
        help="Port to listen on; 4010 unless told otherwise, 0 picks a free one. [MOCK_PORT, or PORT]",
    ),
    click.option(
        "--port-file", metavar="FILE", help="Write the port there once the mock answers. [MOCK_PORT_FILE]"
    ),
    SCENARIO,
    click.option(
        "--generate",
        metavar="threads=N,messages=N,spaces=N",
        help=(
            "Add so many spaces, threads and messages in each thread, made up from the seed. [MOCK_GENERATE]"
        ),
    ),
    click.option(
        "--scenarios",
        metavar="FOLDER",
        help="Its YAML files are scenarios that a request may name; else none but ours. [MOCK_SCENARIOS]",
    ),
    click.option(
        "--import",
        "import_",
        metavar="FILE",
        help="Begin with this state, as GET /__admin/state gives it, instead of a scenario. [MOCK_IMPORT]",
    ),
    click.option(
        "--export-on-exit",
        metavar="FILE",
        help="Write the state of the default sandbox there when the mock ends. [MOCK_EXPORT_ON_EXIT]",
    ),
    SPEC,
    click.option(
        "--seed",
        metavar="N",
        help="Ids are a hash of this number and their ordinal; 0 by default. [MOCK_SEED]",
    ),
    click.option(
        "--freeze",
        metavar="INSTANT",
        help="Let the clock stand still, e.g. at 2026-02-26T10:30:00Z: answers never vary. [MOCK_FREEZE]",
    ),
    click.option(
        "--embedding-seconds",
        metavar="S",
        help="How long embedding one message takes; 0.2 by default. [MOCK_EMBEDDING_SECONDS]",
    ),
    click.option(
        "--embedding-slots",
        metavar="N",
        help="Messages embedded at the same time in a space; 4 by default. [MOCK_EMBEDDING_SLOTS]",
    ),
    click.option(
        "--embedding-failure-rate",
        metavar="SHARE",
        help="The share of attempts that fail, 0 to 1; 0 by default. [MOCK_EMBEDDING_FAILURE_RATE]",
    ),
    click.option(
        "--embedding-retries",
        metavar="N",
        help="Further attempts after a failed one; 3 by default. [MOCK_EMBEDDING_RETRIES]",
    ),
    click.option(
        "--cors-origins",
        metavar="ORIGIN,…",
        help="Pages that may read answers, besides those on loopback; * is every page. [MOCK_CORS_ORIGINS]",
    ),
    click.option(
        "--max-sandboxes",
        metavar="N",
        help="Besides the default one; 1000 by default. One more, and the least recently used is dropped. "
        "[MOCK_MAX_SANDBOXES]",
    ),
    click.option(
        "--sandbox-idle-seconds",
        metavar="S",
        help="One that no request names for so long is dropped; 3600 by default. [MOCK_SANDBOX_IDLE_SECONDS]",
    ),
    click.option(
        "--require-sandbox",
        is_flag=True,
        default=None,
        help="Refuse requests that name no sandbox. [MOCK_REQUIRE_SANDBOX]",
    ),
    click.option(
        "--max-body-bytes",
        metavar="N",
        help="A request body with more is refused with 413; 1048576 by default. [MOCK_MAX_BODY_BYTES]",
    ),
    click.option(
        "--threads",
        metavar="N",
        help="How many requests may wait or stream at the same time; 512 by default. [MOCK_THREADS]",
    ),
    click.option(
        "--watch",
        is_flag=True,
        default=None,
        help="Begin anew when the file of --spec or --scenario, or one in --scenarios, changes. [MOCK_WATCH]",
    ),
    click.option(
        "--admin-token",
        metavar="TOKEN",
        help="What /__admin asks for; none on loopback, made up and shown elsewhere. [MOCK_ADMIN_TOKEN]",
    ),
    click.option(
        "--journal-entries",
        metavar="N",
        help=(
            "Exchanges that are kept for each sandbox; 1000 by default, 0 keeps none. [MOCK_JOURNAL_ENTRIES]"
        ),
    ),
    click.option(
        "--journal-mb",
        metavar="N",
        help="MiB that all of them may take together; 64 by default. [MOCK_JOURNAL_MB]",
    ),
    click.option(
        "--journal-body-bytes",
        metavar="N",
        help="How much of each body is kept; 16384 by default. [MOCK_JOURNAL_BODY_BYTES]",
    ),
    click.option(
        "--faults",
        metavar="PROFILE",
        help="Go wrong from the start: slow, flaky, brownout, rate-limited or offline. [MOCK_FAULTS]",
    ),
    click.option(
        "--rate-limit",
        metavar="PLAN",
        help="Requests of a caller: standard, premium, or like 30/min or 30/min,burst 5. [MOCK_RATE_LIMIT]",
    ),
    click.option(
        "--fault-port",
        metavar="N",
        help="A second port, where faults can reset connections; 0 picks a free one. [MOCK_FAULT_PORT]",
    ),
    click.option(
        "--no-request-controls",
        is_flag=True,
        default=None,
        help="Ignore X-Mock-Fault, X-Mock-Delay and Prefer in requests. [MOCK_NO_REQUEST_CONTROLS]",
    ),
    click.option(
        "--quiet", is_flag=True, default=None, help="No line on stderr for each request. [MOCK_QUIET]"
    ),
)
"""Those of `serve`, in the order in which --help shows them."""


def serving(command: CommandT) -> CommandT:
    """Give a command the flags of `serve`."""
    for option in reversed(SERVE):
        command = option(command)
    return command
