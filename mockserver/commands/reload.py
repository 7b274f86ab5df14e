"""Reload of a running mock when a file changes; an invalid file leaves it as it was.

A sandbox goes on if only scenarios have changed, and not its own.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from mockserver.app import MockServer, create_app
from mockserver.extensions.blueprints import file_of
from mockserver.files import read_whole
from mockserver.foreign.place import place_of
from mockserver.http.log import RequestLog
from mockserver.openapi.yaml_document import DocumentError
from mockserver.settings import Settings

PAUSE = 0.5
"""Seconds between two checks of the contents: a bind mount reports no changes."""


def content_hashes(places: Iterable[Path]) -> dict[Path, str]:
    """Content hash of each file, or of a folder's YAML files; empty for an unreadable one."""
    files = [
        file for place in places for file in (sorted(place.glob("*.yaml")) if place.is_dir() else [place])
    ]
    return {file: _content_hash(file) for file in files}


def _content_hash(file: Path) -> str:
    try:
        return hashlib.sha256(read_whole(file)).hexdigest()
    except OSError:
        return ""


def _watch(places: Iterable[Path], changed: Callable[[list[Path]], None], stopping: threading.Event) -> None:
    """Call `changed` with the changed files, until `stopping`."""
    known = content_hashes(places)
    while not stopping.wait(PAUSE):
        now = content_hashes(places)
        if now != known:
            files = sorted(file for file in {*known, *now} if known.get(file) != now.get(file))
            known = now
            changed(files)


def watched(settings: Settings) -> list[Path]:
    """Files and folders named by the user."""
    places = [settings.spec, settings.scenarios, Path(settings.scenario), *settings.overlay]
    places += [Path(settings.profile)] if settings.profile is not None else []
    places += map(file_of, settings.extend)
    places += (place_of(each).file for each in settings.also)
    return [place for place in places if place is not None and place.exists()]


def reload_on_change(app: MockServer, settings: Settings, log: RequestLog) -> None:
    """Watch the configured files; a valid change restarts all sandboxes."""
    places = [*watched(settings), *app.foreign_files]
    if not places:
        log.notice(
            "nothing to watch: --spec, --overlay, --scenario, --scenarios, --extend and --also name no file"
        )
        return
    settings = settings.model_copy(update={"admin_token": app.admin_token})

    def changed(files: list[Path]) -> None:
        names = ", ".join(str(file) for file in files)
        try:
            fresh = create_app(settings, log=log, stopping=app.stopping, journals=app.journals)
        except DocumentError as error:
            log.notice(f"{names} is invalid, the old one stays: {' '.join(str(error).split())}")
            return
        before, kept = {sandbox.name for sandbox in app.sandboxes.listed()}, set[str]()
        if _are_scenarios(files, settings):
            kept = _unchanged(files, app)
            fresh.sandboxes.adopt(app.sandboxes, kept)
        app.replace_with(fresh)
        restarted = ", ".join(sorted(before - kept)) or "no sandbox"
        told = f"{names} changed; restarted: {restarted}"
        app.journals.happened("reload", app.sandboxes.default.instant(), told)
        log.notice(told)

    watcher = threading.Thread(target=_watch, args=(places, changed, app.stopping), name="watch", daemon=True)
    watcher.start()


def _are_scenarios(files: list[Path], settings: Settings) -> bool:
    """Whether all of these files are scenarios, so that what the mock serves has not changed."""
    return all(file == Path(settings.scenario) or file.parent == settings.scenarios for file in files)


def _unchanged(files: list[Path], app: MockServer) -> set[str]:
    """Names of the sandboxes that have nothing to do with these scenarios."""
    changed = {file.stem for file in files}
    return {sandbox.name for sandbox in app.sandboxes.listed() if not changed & sandbox.scenarios}
