"""The command `mockserver proxy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from mockserver.commands.options import option
from mockserver.commands.running import NOT_GIVEN, fail, read_flags, run
from mockserver.settings import Settings

REFUSED = ("persist", "store", "import_", "export_on_exit", "extend", "also")
"""Settings that a proxy can't follow, so that they are not ignored where the environment has them."""
OF_STORE = ("store", "advertise", "replica_token", "strict_reads")
NOT_OURS = frozenset((*REFUSED, "generate", "scenarios", "seed", "freeze", "watch", "strict_sandboxes"))
"""Settings of a state that a proxy does not have."""
_SHARED = [
    name
    for name, field in Settings.model_fields.items()
    if field.description is not None
    and name not in NOT_OURS
    and not name.startswith(("persist", "embedding", *OF_STORE))
]
WHOLE_BODY = 1 << 20
"""Bytes of each body that a recording has."""
_SECONDS = click.FloatRange(0.1, 86_400)
_OWN = (
    click.option(
        "--target",
        required=True,
        metavar="URL",
        envvar="MOCK_TARGET",
        help="Server to ask. [MOCK_TARGET]",
    ),
    click.option(
        "--mode",
        type=click.Choice(("observe", "fill", "compare")),
        help="observe (by default); fill: the mock answers what the target does not have; compare: the "
        "target's answers are compared with the mock's.",
    ),
    click.option(
        "--compare-budget",
        type=click.IntRange(0, 1_000_000),
        metavar="N",
        help="Most GET requests that --mode compare sends for its copy, 1000 by default.",
    ),
    click.option("--drift", metavar="FILE", help="Add the differences of --mode compare to this ledger."),
    click.option(
        "--record", metavar="FILE", help="Write every exchange to this HTTP Archive (HAR), without keys."
    ),
    click.option(
        "--mask",
        multiple=True,
        metavar="POINTER",
        help="Leave this value of every JSON body out of the recording, as /messages/*/content. "
        "May be repeated.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(("violation", "answer", "difference")),
        help="Exit with 1 if a request or an answer broke the document; `answer`: only if an answer did; "
        "`difference`: if --mode compare found one.",
    ),
    click.option(
        "--header",
        multiple=True,
        metavar="NAME:VALUE",
        help="Header of every request to the target, in place of the client's. May be repeated.",
    ),
    click.option("--ca", metavar="FILE", help="Trust these certificates (PEM) instead of the usual ones."),
    click.option("--cert", metavar="FILE", help="Client certificate (PEM), with its key unless --cert-key."),
    click.option("--cert-key", metavar="FILE", help="Private key of the client certificate, not encrypted."),
    click.option("--read-only", is_flag=True, default=None, help="Pass only GET, HEAD and OPTIONS on."),
    click.option(
        "--forward-sandbox",
        is_flag=True,
        default=None,
        help="Pass X-Mock-…, Prefer and the sandbox's name on: for a target that is a mock.",
    ),
    click.option(
        "--connect-timeout", type=_SECONDS, metavar="S", help="Seconds to connect in, 5 by default; then 504."
    ),
    click.option(
        "--first-byte-timeout",
        type=_SECONDS,
        metavar="S",
        help="Seconds in which the answer must begin, 120 by default; then 504.",
    ),
    click.option(
        "--silence-timeout",
        type=_SECONDS,
        metavar="S",
        help="Seconds without a byte of a body, 300 by default; then 504, or the answer is cut.",
    ),
)


def _flags(command: Callable[..., Any]) -> Callable[..., Any]:
    for each in reversed([*_OWN, *map(option, _SHARED)]):
        command = each(command)
    return command


@click.command()
@_flags
def proxy(**flags: Any) -> None:
    """Stand in front of another server, and hold what goes by to the document.

    The client gets the target's answers. Each request and answer is compared with the document: see
    X-Mock-Violations, /__admin/violations and /__admin/requests. Faults can be added to the target's
    answers; clock and data can't be controlled. The flags of `serve` have the same variables.

    \b
    Examples:
      mockserver proxy --target https://staging.example.com
      mockserver proxy --target http://127.0.0.1:8000 --port 0 --fail-on violation --read-only

    \b
    Exit codes: 0 after a signal; 1 if --fail-on found something; 2 for an invalid flag or setting, an
    unusable file or port, or a recording that could not be written.
    """
    from mockserver.proxy.options import ProxyOptions

    own = {name: flags.pop(name) for name in [*flags] if name not in _SHARED}
    try:
        options = ProxyOptions.of({name: value for name, value in own.items() if value not in NOT_GIVEN})
    except ValueError as error:
        fail(error)
    settings = read_flags(flags)
    if refused := [name for name in REFUSED if getattr(settings, name)]:
        fail(ValueError(f"MOCK_{refused[0].strip('_').upper()}: a proxy has nothing of it; unset it"))
    if options.record is not None and settings.journal_entries == 0:
        fail(ValueError("--journal-entries 0: a recording is made of the journal; give at least 1"))
    if options.record is not None or options.mode == "compare":
        more = max(settings.journal_body_bytes, WHOLE_BODY)
        settings = settings.model_copy(update={"journal_body_bytes": more})
    run(settings, options)
