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
    from mockserver.settings import Settings

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
    Exit codes: 0 success; 2 for a folder that is in use, damaged or not written by `--persist`, or an
    unknown sandbox.
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

    with closing(_store(folder, only_reads=True)) as store:
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
    """Write a sandbox of the folder to a file, as a state document; the folder stays as it is.

    \b
    Examples:
      mockserver persisted export kept state.json
      mockserver persisted export kept state.json --sandbox ci-42
    """
    from mockserver.app import create_app
    from mockserver.openapi.yaml_document import DocumentError
    from mockserver.persistence.opening import FAILURES, reason_of
    from mockserver.persistence.reading import read_session

    with closing(_store(folder, only_reads=True)) as store:
        _require(store, sandbox)
        settings = _recorded(store)
        try:
            app = create_app(settings)
            session, snapshots = read_session(store, sandbox, app.recovery)
            app.states.write(file, session, snapshots)
        except (DocumentError, OSError) as error:
            _fail(str(error))
        except FAILURES as error:
            _fail(f"sandbox {sandbox!r} of {folder} can't be recovered: {reason_of(error)}")


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
        _require(store, sandbox)
        store.remove_files(sandbox)


def _store(folder: Path, *, only_reads: bool = False) -> DirectoryStore:
    """Store of a folder that a mock has made, and that none uses."""
    from mockserver.openapi.yaml_document import DocumentError
    from mockserver.persistence.opening import open_store
    from mockserver.persistence.whole_files import FOLDERS

    if not (folder / "lock").is_file() or not all((folder / each).is_dir() for each in FOLDERS):
        _fail(f"{folder} is no folder of --persist")
    try:
        return open_store(folder, only_reads=only_reads)
    except DocumentError as error:
        _fail(str(error))


def _require(store: DirectoryStore, sandbox: str) -> None:
    """Fail for a sandbox that is not kept."""
    from mockserver.persistence.keeper import NAMED

    if sandbox == NAMED or sandbox not in store.names():
        folder = store.folder
        _fail(f"{folder} keeps no sandbox {sandbox!r}; mockserver persisted list {folder} names all")


def _recorded(store: DirectoryStore) -> Settings:
    """Settings of the mock that has made a folder."""
    from mockserver.identity import recorded_settings
    from mockserver.persistence.frames import DamagedError
    from mockserver.persistence.opening import recorded

    file, known = store.folder / "mock.json", recorded(store)
    if known is None:
        _fail(f"{file} is damaged or missing; restore it")
    try:
        return recorded_settings(known["settings"])
    except DamagedError as error:
        _fail(f"{file} is damaged: {error}; restore it")


def _fail(text: str) -> NoReturn:
    click.echo("mockserver: " + " ".join(text.split()), err=True)
    sys.exit(UNUSABLE)
