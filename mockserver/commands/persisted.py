"""Commands for a folder of `--persist` that no mock uses."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from mockserver.persistence.directory_store import DirectoryStore

UNUSABLE = 2
"""Exit code for a folder or a sandbox that can't be used."""
_FOLDER = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group("persisted")
def persisted() -> None:
    """List, export or discard the sandboxes in a folder of `--persist` that no mock uses.

    \b
    Examples:
      mockserver persisted list kept

    \b
    Exit codes: 0 success; 2 for a folder in use or not written by `--persist`, or an unknown sandbox.
    """


@persisted.command("list")
@_FOLDER
def list_(folder: Path) -> None:
    """Print a line of JSON for each sandbox of the folder, and for each entry of `aside`.

    \b
    Examples:
      mockserver persisted list kept
    """
    from mockserver.persistence.frames import DamagedError
    from mockserver.persistence.keeper import NAMED

    with closing(_store(folder)) as store:
        for name in store.names():
            if name == NAMED:
                continue
            row: dict[str, object] = {"sandbox": name, "bytes": store.bytes_of(name)}
            try:
                row["entries_since_snapshot"] = len(store.load(name)[1])
            except DamagedError as error:
                row["damaged"] = str(error)
            click.echo(json.dumps(row))
    for aside in sorted((folder / "aside").glob("*")):
        click.echo(json.dumps({"aside": str(aside)}))


@persisted.command("export")
@_FOLDER
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sandbox", default="default", help="Name of the sandbox; `default` by default.")
def export(folder: Path, file: Path, sandbox: str) -> None:
    """Write a sandbox of the folder to a file, as a state document.

    \b
    Examples:
      mockserver persisted export kept state.json
      mockserver persisted export kept state.json --sandbox ci-42
    """
    from mockserver.app import create_app
    from mockserver.http.problems import NotFound
    from mockserver.openapi.yaml_document import DocumentError
    from mockserver.settings import Settings

    _store(folder).close()
    try:
        known = json.loads((folder / "mock.json").read_bytes())
        app = create_app(Settings(**known["settings"], persist=folder, quiet=True))
        found = app.sandboxes.get(sandbox)
        with found.transaction():
            session = found.session()
        app.states.write(file, session, dict(app.sandboxes.snapshots.listed()))
        app.keeper.close()
    except NotFound as problem:
        _fail(problem.reason)
    except (DocumentError, OSError, ValueError, KeyError) as error:
        _fail(str(error))


@persisted.command("discard")
@_FOLDER
@click.option("--sandbox", help="Discard only this sandbox.")
def discard(folder: Path, sandbox: str | None) -> None:
    """Remove everything in the folder, or one sandbox.

    \b
    Examples:
      mockserver persisted discard kept --sandbox ci-42
      mockserver persisted discard kept
    """
    with closing(_store(folder)) as store:
        if sandbox is None:
            store.clear()
            return
        if sandbox in store.names():
            store.remove_files(sandbox)
            return
    _fail(f"{folder} keeps no sandbox {sandbox!r}; mockserver persisted list {folder} names all")


def _store(folder: Path) -> DirectoryStore:
    """Store of a folder that a mock has made, and that none uses."""
    from mockserver.openapi.yaml_document import DocumentError
    from mockserver.persistence.opening import open_store

    if not (folder / "lock").is_file():
        _fail(f"{folder} is no folder of --persist")
    try:
        return open_store(folder)
    except DocumentError as error:
        _fail(str(error))


def _fail(text: str) -> NoReturn:
    click.echo("mockserver: " + " ".join(text.split()), err=True)
    sys.exit(UNUSABLE)
