"""The `mockserver` command."""

from __future__ import annotations

import ctypes
import difflib
import gc
import hashlib
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
import orjson

from mockserver import __version__
from mockserver.commands import remote
from mockserver.commands.addresses import EVERY_ADDRESS, url_of, urls_to_open
from mockserver.commands.options import option, serving
from mockserver.commands.persisted import persisted
from mockserver.files import require_writable, write_whole
from mockserver.openapi.yaml_document import DocumentError
from mockserver.settings import REVISIONS, Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from mockserver.app import MockServer

NOT_GIVEN = (None, ())
"""Values of a flag that was not given; () of one that may be repeated."""
UNUSABLE = 2
"""Exit code for an invalid flag, setting, spec or scenario, and for a port in use."""


def _print_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    from mockserver.app import bundled_spec
    from mockserver.openapi.yaml_document import Document

    spec = bundled_spec()
    info, digest = Document(spec).content["info"], hashlib.sha256(spec.read_bytes()).hexdigest()
    click.echo(f"mockserver {__version__}, {info['title']} {info['version']}, sha256 {digest}")
    context.exit()


class _Commands(click.Group):
    """Group that names the commands most like an unknown one."""

    def resolve_command(self, context: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.commands, n=len(self.commands), cutoff=0.5)
            if near and "mean" not in error.message:
                raise click.UsageError(
                    f"{error.message} Did you mean {' or '.join(near)}?", context
                ) from None
            raise


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version of the mock, and version and SHA-256 of the bundled spec, and exit.",
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
    """Run the mock until SIGTERM, SIGHUP, SIGQUIT or Ctrl-C.

    Every flag has an environment variable, named in brackets; the flag wins. FREDDY_API_KEY, if set, is an
    additional key of usr_abc123. On a terminal the mock prints a short summary; otherwise it prints one
    line of JSON with the URL to stdout. Each request is logged as one line on stderr.

    \b
    Examples:
      mockserver serve --freeze 2026-02-26T10:30:00Z
      mockserver serve --scenario empty --port 0
      MOCK_PORT=8080 mockserver serve --quiet

    \b
    Exit codes: 0 after a signal; 2 for an invalid flag or setting, an unusable file or port, or too low a
    limit of open files or threads.
    """
    # Imported here, so that --help and an invalid flag answer at once.
    from mockserver.app import create_app
    from mockserver.commands.reload import reload_on_change
    from mockserver.http.log import RequestLog
    from mockserver.server import fault_port, listeners, process_limits
    from mockserver.server import granian_server as server

    settings = _settings(flags)
    log, stopping, serving = (
        RequestLog(quiet=settings.quiet, probes=settings.log_probes),
        threading.Event(),
        threading.Event(),
    )
    if settings.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(stopping, serving), name="stdin", daemon=True).start()
    try:
        capacity = process_limits.capacity_of_process()
        limits = process_limits.fitting(
            settings.threads, capacity, fault_port=settings.fault_port is not None
        )
        settings = settings.model_copy(update={"threads": limits.threads})
        app = create_app(settings, log=log, stopping=stopping)
        _require_writable(settings.export_on_exit)
        main_port, second_port = _listeners(settings)
    except (DocumentError, listeners.PortTaken, OSError) as error:
        _fail(error)
    for foreign in app.foreign:
        for said in foreign.lines(whole=False):
            log.notice(said)
    _release_memory()
    gc.freeze()  # everything alive now stays: scanning it takes seconds for large data
    gc.enable()  # __main__ disables it
    port: int = main_port[0].getsockname()[1]
    second: int | None = second_port[0].getsockname()[1] if second_port else None
    timeouts = server.Timeouts(settings.body_timeout, settings.keep_alive)

    def announce() -> None:
        if settings.port_file is not None:
            write_whole(settings.port_file, str(port))
        generated = app.admin_token if settings.admin_token is None else None
        _announce(
            settings,
            limits.connections,
            port,
            second,
            sorted(app.sandboxes.default.directory.credentials),
            generated,
            app.profile.words,
        )

    most = limits.fault_connections
    fault_port.start(app, second_port, most=most, timeouts=timeouts, body_limit=app.body_limit)
    if settings.watch:
        reload_on_change(app, settings, log)
    serving.set()
    try:
        server.serve(
            app,
            main_port,
            stopping=app.stopping,
            limits=limits,
            timeouts=timeouts,
            body_limit=app.body_limit,
            on_ready=announce,
            notice=log.notice,
        )
    except OSError as error:
        _print_error(f"cannot write the port file: {error}")
        server.leave(UNUSABLE)
    if not _kept(app, settings):
        server.leave(UNUSABLE)
    log.flush()
    server.leave(0)


_OWN = ("host", "port", "port_file", "end_with_stdin")  # flags of `serve` that `exec` sets itself


@main.command("exec", params=[each for each in serve.params if each.name not in _OWN])
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(command: tuple[str, ...], **flags: Any) -> None:
    """Run a command with its own mock, on a free port.

    The command gets the mock's URL in FREDDY_API_URL and MOCK_URL, and a key in FREDDY_API_KEY:
    ak_demo_owner, unless the variable is already set. The mock ends with the command.

    \b
    Examples:
      mockserver exec -- npm test
      mockserver exec --freeze 2026-02-26T10:30:00Z --quiet -- pytest tests/e2e

    \b
    Exit codes: the command's own; 2 for an invalid flag, setting, spec or scenario; 126 if the command
    can't be run, 127 if it is not found.
    """
    from mockserver.commands import exec_beside

    _settings(flags)  # reports invalid flags before anything is started
    sys.exit(
        exec_beside.run(command, {name: value for name, value in flags.items() if value not in NOT_GIVEN})
    )


for _command in (*remote.COMMANDS, persisted):
    main.add_command(_command)


@main.command()
@option("spec")
@option("revision")
@option("overlay")
@option("profile")
@option("scenario")
@option("extend")
@option("also")
def check(**flags: Any) -> None:
    """Validate a spec, overlays, a profile, a scenario, extensions and other documents without serving them.

    Each value that an overlay or the profile changes is one line: file and line, place, old and new value.
    Alternatives of the profile that the mock can't follow are listed, and what it does not understand of
    documents of --also, with a count.

    \b
    Examples:
      mockserver check --scenario tests/world.yaml
      mockserver check --spec openapi.yaml --scenario empty
      mockserver check --overlay staging.yaml
      mockserver check --profile staging.profile.yaml
      mockserver check --extend examples/login/login.py:login
      mockserver check --also billing=billing.yaml@/billing

    \b
    Exit codes: 0 valid; 2 invalid, with file, line and reason.
    """
    from mockserver.app import create_app, spec_of

    settings = _settings(flags)
    try:
        app = create_app(settings)
    except DocumentError as error:
        _fail(error)
    data = app.sandboxes.default.data
    for change in spec_of(settings).changes:
        click.echo(str(change))
    if (words := app.profile.words) is not None:
        click.echo(f"profile {words}")
    for foreign in app.foreign:
        for line in foreign.lines():
            click.echo(line)
    click.echo(f"ok: scenario {data.name!r} fits {settings.spec or 'the bundled spec'}")


def _settings(flags: dict[str, Any]) -> Settings:
    values = {name: value for name, value in flags.items() if value not in NOT_GIVEN}
    if "port" not in values and not os.environ.get("MOCK_PORT") and os.environ.get("PORT"):
        values["port"] = os.environ["PORT"]
    try:
        settings = read_settings(values)
        if settings.watch and settings.persist is not None:
            raise SettingsError("--persist: can't be used with --watch; leave one of them out")
        return settings
    except SettingsError as error:
        _fail(error)


def _kept(app: MockServer, settings: Settings) -> bool:
    """Write the state of a mock that ends, where the settings say so: whether it could be written."""
    if app.keeper is not None:
        app.keeper.close()
    if settings.export_on_exit is not None:
        default = app.sandboxes.default
        try:
            with default.transaction():
                session = default.session()
            app.states.write(settings.export_on_exit, session, dict(app.sandboxes.snapshots.listed()))
        except OSError as error:
            _print_error(f"cannot export the state: {error}")
            return False
    return True


def _release_memory() -> None:
    """Release memory that only the start needed: a tenth of it, if the C library can."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _fail(error: Exception) -> NoReturn:
    _print_error(str(error))
    sys.exit(UNUSABLE)


def _print_error(text: str) -> None:
    click.echo("mockserver: " + " ".join(text.split()), err=True)


def _listeners(settings: Settings) -> tuple[list[socket.socket], list[socket.socket]]:
    """Those of the main port and of the fault port, or none of them; without a fault port it has none."""
    from mockserver.server import listeners

    main = listeners.bind(settings.host, settings.port)
    if settings.fault_port is None:
        return main, []
    try:
        return main, listeners.bind(settings.host, settings.fault_port)
    except listeners.PortTaken as error:
        for each in main:
            each.close()
        raise listeners.PortTaken(str(error).replace("--port", "--fault-port")) from None


def _announce(
    settings: Settings,
    connections: int,
    port: int,
    second: int | None,
    keys: list[str],
    token: str | None,
    profile: str | None,
) -> None:
    """`token`: a generated one, which is printed nowhere else; `profile`: what is followed of it."""
    if settings.api_key and settings.api_key not in keys:
        _print_error(f"FREDDY_API_KEY is not used: scenario {settings.scenario!r} has no usr_abc123")
    newer = None if settings.revision == REVISIONS[0] else settings.revision
    url, urls = url_of(settings.host, port), urls_to_open(settings.host, port)
    if not sys.stdout.isatty():
        ready: dict[str, Any] = {"url": url, "port": port, "pid": os.getpid(), "scenario": settings.scenario}
        ready |= {"connections": connections, "threads": settings.threads}
        wide = urls if settings.host in EVERY_ADDRESS else None
        more = {"urls": wide, "admin_token": token, "fault_port": second, "revision": newer}
        more["profile"] = profile
        click.echo(orjson.dumps(ready | {name: value for name, value in more.items() if value is not None}))
        return
    listed_keys = [key for key in keys if key != settings.api_key]
    shown, url = " and ".join(click.style(each, bold=True) for each in urls), urls[0]
    click.echo(f"{click.style('Freddy mock', bold=True)} {__version__} on {shown}")
    if newer is not None:
        click.echo(f"  revision  {newer}")
    if profile is not None:
        click.echo(f"  profile   {profile}")
    click.echo(f"  scenario  {settings.scenario}")
    click.echo(f"  keys      {', '.join(listed_keys)}{' and FREDDY_API_KEY' if settings.api_key else ''}")
    click.echo(f"  try       curl {url}/v1/spaces/space_abc123/threads -H 'X-API-Key: ak_demo_owner'")
    if second is not None:
        click.echo(f"  faults    {urls_to_open(settings.host, second)[0]} can reset connections")
    click.echo(f"  limits    {connections} connections, {settings.threads} threads")
    paths = "/health, /reset, /clock, /faults, /embeddings, /replies, /requests"
    click.echo(f"  control   {url}/__admin{paths}")
    if token is not None:
        click.echo(f"  token     {token}  (for /__admin, as Authorization: Bearer …)")
    click.echo(f"  page      {url}/__admin/")
    click.echo(f"  docs      {url}/__admin/docs, README.md and docs/; mockserver serve --help")


def _require_writable(file: Path | None) -> None:
    """Fail at the start rather than on exit, when the state would be lost."""
    if file is None:
        return
    try:
        require_writable(file)
    except OSError as error:
        raise OSError(
            f"--export-on-exit: {file} {error.strerror}; give a file in a writable folder"
        ) from error


def _end_with_stdin(stopping: threading.Event, serving: threading.Event) -> None:
    """Stop at the end of standard input; before the mock serves there is nothing to save."""
    with suppress(OSError):
        while os.read(0, 65536):
            pass
    if not serving.is_set():
        os._exit(0)
    stopping.set()
