"""The `mockserver` command."""

from __future__ import annotations

import ctypes
import gc
import hashlib
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click
import orjson

from mockserver import __version__
from mockserver.commands import remote
from mockserver.commands.options import option, serving
from mockserver.files import write_whole
from mockserver.openapi.yaml_document import DocumentError
from mockserver.settings import Settings, SettingsError, read_settings

UNUSABLE = 2
"""Exit code for a wrong flag, setting, spec or scenario, and for a port that is taken."""


def _tell_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    from mockserver.app import bundled_spec
    from mockserver.openapi.yaml_document import Document

    spec = bundled_spec()
    info, digest = Document(spec).content["info"], hashlib.sha256(spec.read_bytes()).hexdigest()
    click.echo(f"mockserver {__version__}, {info['title']} {info['version']}, sha256 {digest}")
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Tell the version, and version and SHA-256 of the spec inside, and exit.",
)
def main() -> None:
    """A stateful mock of the Freddy spaces API.

    \b
    Try it:
      mockserver serve
      curl http://127.0.0.1:4010/v1/spaces/space_abc123/threads -H 'X-API-Key: ak_demo_owner'
    """


@main.command()
@serving
def serve(**flags: Any) -> None:
    """Run the mock until SIGTERM or Ctrl-C.

    Every flag has a twin in the environment, named in brackets; the flag wins. FREDDY_API_KEY, if it is set,
    is one more key of usr_abc123. On a terminal the mock introduces itself in a few lines; otherwise stdout
    gets one line of JSON with the URL. Each request is one line on stderr.

    \b
    Examples:
      mockserver serve --freeze 2026-02-26T10:30:00Z
      mockserver serve --scenario empty --port 0
      MOCK_PORT=8080 mockserver serve --quiet

    \b
    Exit codes: 0 after a signal; 2 for a flag, setting, file or port that can't be used.
    """
    # Imported here, so that --help and a wrong flag answer at once.
    from mockserver.app import create_app
    from mockserver.commands.reload import reload_on_change
    from mockserver.http.log import RequestLog
    from mockserver.server import fault_port
    from mockserver.server import granian_server as server

    settings = _settings(flags)
    log = RequestLog(quiet=settings.quiet)
    try:
        app = create_app(settings, log=log)
        _require_writable(settings.export_on_exit)
        listener, faulty = _listeners(settings)
    except (DocumentError, server.PortTaken, OSError) as error:
        _refuse(error)
    _give_memory_back()
    gc.freeze()  # what is there now stays: to look through it for garbage takes seconds in a large world
    gc.enable()  # __main__ starts without
    port: int = listener.getsockname()[1]
    second: int | None = None if faulty is None else faulty.getsockname()[1]

    def announce() -> None:
        if settings.port_file is not None:
            write_whole(settings.port_file, str(port))
        made_up = app.admin_token if settings.admin_token is None else None
        _introduce(settings, port, second, sorted(app.sandboxes.default.directory.credentials), made_up)

    if faulty is not None:
        fault_port.start(app, faulty)
    if settings.watch:
        reload_on_change(app, settings, log)
    try:
        server.serve(app, listener, stopping=app.stopping, threads=settings.threads, on_ready=announce)
    except OSError as error:
        _complain(f"cannot tell the port: {error}")
        server.leave(UNUSABLE)
    if settings.export_on_exit is not None:
        try:
            with app.sandboxes.default.transaction():
                moment = app.sandboxes.default.moment("")
            app.states.write(settings.export_on_exit, moment)
        except OSError as error:
            _complain(f"cannot export the state: {error}")
            server.leave(UNUSABLE)
    log.flush()
    server.leave(0)


_OWN = ("host", "port", "port_file")  # flags of `serve` that `exec` decides itself


@main.command("exec", params=[each for each in serve.params if each.name not in _OWN])
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(command: tuple[str, ...], **flags: Any) -> None:
    """Run a command beside a mock of its own, on a free port.

    The command finds the mock in FREDDY_API_URL (and MOCK_URL), and a key in FREDDY_API_KEY: ak_demo_owner,
    unless the variable is set already. The mock ends with the command.

    \b
    Examples:
      mockserver exec -- npm test
      mockserver exec --freeze 2026-02-26T10:30:00Z --quiet -- pytest tests/e2e

    \b
    Exit codes: the command's own; 2 for a flag, setting, spec or scenario that can't be used; 126 and 127 for
    a command that can't be run, or is not there.
    """
    from mockserver.commands import exec_beside

    _settings(flags)  # a wrong one is told before anything is started
    sys.exit(exec_beside.run(command, {name: value for name, value in flags.items() if value is not None}))


for _command in remote.COMMANDS:
    main.add_command(_command)


@main.command()
@option("spec")
@option("scenario")
def check(**flags: Any) -> None:
    """Say whether a spec and a scenario can be served, without serving them.

    \b
    Examples:
      mockserver check --scenario tests/world.yaml
      mockserver check --spec openapi.yaml --scenario empty

    \b
    Exit codes: 0 they can; 2 they can't, with file, line and reason.
    """
    from mockserver.app import create_app

    settings = _settings(flags)
    try:
        app = create_app(settings)
    except DocumentError as error:
        _refuse(error)
    world = app.sandboxes.default.world
    click.echo(f"ok: scenario {world.name!r} fits {settings.spec or 'the spec inside'}")


def _settings(flags: dict[str, Any]) -> Settings:
    given = {name: value for name, value in flags.items() if value is not None}
    if "port" not in given and not os.environ.get("MOCK_PORT") and os.environ.get("PORT"):
        given["port"] = os.environ["PORT"]
    try:
        return read_settings(given)
    except SettingsError as error:
        _refuse(error)


def _give_memory_back() -> None:
    """Return what the start alone needed: a tenth of the memory at rest, where the C library knows how."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _refuse(error: Exception) -> NoReturn:
    _complain(str(error))
    sys.exit(UNUSABLE)


def _complain(text: str) -> None:
    click.echo("mockserver: " + " ".join(text.split()), err=True)


def _listeners(settings: Settings) -> tuple[socket.socket, socket.socket | None]:
    """Both, or none."""
    from mockserver.server import granian_server as server

    main = server.bind(settings.host, settings.port)
    if settings.fault_port is None:
        return main, None
    try:
        return main, server.bind(settings.host, settings.fault_port)
    except server.PortTaken as error:
        main.close()
        raise server.PortTaken(str(error).replace("--port", "--fault-port")) from None


def _introduce(settings: Settings, port: int, second: int | None, keys: list[str], token: str | None) -> None:
    """`token` is a made-up one, which nobody else can tell."""
    if settings.api_key and settings.api_key not in keys:
        _complain(f"FREDDY_API_KEY is not used: scenario {settings.scenario!r} has no usr_abc123")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    if not sys.stdout.isatty():
        ready = {"url": url, "port": port, "pid": os.getpid(), "scenario": settings.scenario}
        if token is not None:
            ready["admin_token"] = token
        ready |= {} if second is None else {"fault_port": second}
        click.echo(orjson.dumps(ready))
        return
    shown = [key for key in keys if key != settings.api_key]
    click.echo(f"{click.style('Freddy mock', bold=True)} {__version__} on {click.style(url, bold=True)}")
    click.echo(f"  scenario  {settings.scenario}")
    click.echo(f"  keys      {', '.join(shown)}{' and FREDDY_API_KEY' if settings.api_key else ''}")
    click.echo(f"  try       curl {url}/v1/spaces/space_abc123/threads -H 'X-API-Key: ak_demo_owner'")
    if second is not None:
        click.echo(f"  faults    http://{host}:{second} can reset connections")
    paths = "/health, /reset, /clock, /faults, /embeddings, /replies, /requests"
    click.echo(f"  control   {url}/__admin{paths}")
    if token is not None:
        click.echo(f"  token     {token}  (for /__admin, as Authorization: Bearer …)")
    click.echo(f"  docs      {url}/__admin/docs, README.md and docs/; mockserver serve --help")


def _require_writable(file: Path | None) -> None:
    """OSError at the start rather than at the end, when what was to be saved would be lost."""
    if file is not None and (file.is_dir() or not os.access(file.parent, os.W_OK)):
        raise OSError(f"--export-on-exit: {file} can't be written; give a file in a folder that can be")
