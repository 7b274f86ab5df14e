"""Flags that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]
TARGET = click.option(
    "--target",
    required=True,
    metavar="mock|mock-http|URL",
    help="What to test: a fresh mock, in this process or on a free port, or a deployment.",
)
TARGET_OR_DIFF = click.option(
    "--target",
    metavar="mock|mock-http|URL",
    help="Target to calibrate against, as for run; not with --diff or --from-drift.",
)
SPACE_ID = click.option(
    "--space-id",
    multiple=True,
    metavar="ID",
    help="An existing space: it is read, and never written to. May be repeated.",
)
WITH_MODEL = click.option(
    "--with-model", type=click.IntRange(0), default=0, help="Number of questions to the model, 0 by default."
)
PROFILE_FILE = click.option(
    "--profile-file",
    type=click.Path(path_type=Path),
    metavar="FILE|fastapi",
    help="Profile of the target, by `contracts calibrate`: what it says is expected.",
)
REVISION = click.option(
    "--revision",
    metavar="2026-02|2026-05",
    help="Revision of the vendor's API to judge by and to serve on a fresh mock; detected by default.",
)
_CONNECTION = (
    click.option(
        "--header",
        multiple=True,
        metavar="NAME:VALUE",
        help="Header of every request to the target. May be repeated.",
    ),
    click.option("--ca", metavar="FILE", help="Trust these certificates (PEM) instead of the usual ones."),
    click.option("--cert", metavar="FILE", help="Client certificate (PEM), with its key unless --cert-key."),
    click.option("--cert-key", metavar="FILE", help="Private key of the client certificate, not encrypted."),
    click.option("--insecure", is_flag=True, help="Accept any certificate of the target."),
    click.option("--timeout", metavar="20s", help="Longest wait for an ordinary answer, 20 s by default."),
    click.option(
        "--model-timeout", metavar="2m", help="Longest wait for an answer of the model, 2 minutes by default."
    ),
    click.option(
        "--concurrency", type=click.IntRange(1), metavar="N", help="Maximum number of requests at once."
    ),
    click.option(
        "--settle", metavar="2s", help="How long a list may lag behind a write; it is read again until then."
    ),
    click.option("--rate-limit", metavar="N/s", help="Maximum request rate."),
)


def connection(command: Command) -> Command:
    """Add the flags about the connection to the target."""
    for option in reversed(_CONNECTION):
        command = option(command)
    return command
