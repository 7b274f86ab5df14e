"""Command-line flags generated from the settings, each with its environment variable in brackets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mockserver.settings import Settings, variable

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def option(name: str) -> Callable[[CommandT], CommandT]:
    """Decorator that adds the flag of one setting."""
    field = Settings.model_fields[name]
    text, default = field.description or "", field.default
    if not isinstance(default, bool | tuple | None):
        text += f" ({default:g} by default)" if isinstance(default, float) else f" ({default} by default)"
    where = "MOCK_PORT, or PORT" if name == "port" else variable(name)
    metavar = field.title or ("FILE" if field.annotation == Path | None else None)
    return click.option(
        "--" + name.strip("_").replace("_", "-"),
        name,
        is_flag=isinstance(default, bool),
        multiple=name in ("extend", "overlay", "also"),
        default=None,
        metavar=metavar,
        help=f"{text}. [{where}]",
    )


def serving(command: CommandT) -> CommandT:
    """Decorator that adds the flags of `serve`: one for each setting with a description."""
    for name, field in reversed(Settings.model_fields.items()):
        if field.description is not None:
            command = option(name)(command)
    return command
