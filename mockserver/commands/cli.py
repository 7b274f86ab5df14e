"""The `mockserver` command."""

from __future__ import annotations

import difflib
import hashlib
import sys
from typing import Any

import click

from mockserver import __version__
from mockserver.commands import remote
from mockserver.commands.options import option, serving
from mockserver.commands.persisted import persisted
from mockserver.commands.proxy import proxy
from mockserver.commands.record import record
from mockserver.commands.running import NOT_GIVEN, fail, read_flags, run
from mockserver.openapi.yaml_document import DocumentError


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
    run(read_flags(flags))


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

    read_flags(flags)  # reports invalid flags before anything is started
    sys.exit(
        exec_beside.run(command, {name: value for name, value in flags.items() if value not in NOT_GIVEN})
    )


for _command in (*remote.COMMANDS, persisted, proxy, record):
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

    settings = read_flags(flags).model_copy(update={"store": None})  # it joins no replicas
    try:
        app = create_app(settings)
    except DocumentError as error:
        fail(error)
    data = app.sandboxes.default.data
    for change in spec_of(settings).changes:
        click.echo(str(change))
    if (words := app.profile.words) is not None:
        click.echo(f"profile {words}")
    for foreign in app.foreign:
        for line in (*foreign.document.changes, *foreign.lines()):
            click.echo(str(line))
    click.echo(f"ok: scenario {data.name!r} fits {settings.spec or 'the bundled spec'}")
