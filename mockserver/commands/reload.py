"""Reload of a running mock when a file changes; an invalid file leaves it as it was."""

from __future__ import annotations

from pathlib import Path

from mockserver.app import MockServer, create_app
from mockserver.commands.file_watch import watch
from mockserver.extensions.blueprints import file_of
from mockserver.http.log import RequestLog
from mockserver.openapi.yaml_document import DocumentError
from mockserver.settings import Settings


def watched(settings: Settings) -> list[Path]:
    """Files and folders named by the user."""
    places = [settings.spec, settings.scenarios, Path(settings.scenario), *map(file_of, settings.extend)]
    return [place for place in places if place is not None and place.exists()]


def reload_on_change(app: MockServer, settings: Settings, log: RequestLog) -> None:
    """Watch the configured files; a valid change restarts all sandboxes."""
    places = watched(settings)
    if not places:
        log.notice("nothing to watch: --spec, --scenario, --scenarios and --extend name no file")
        return
    settings = settings.model_copy(update={"admin_token": app.admin_token})

    def changed(files: list[Path]) -> None:
        names = ", ".join(str(file) for file in files)
        try:
            fresh = create_app(settings, log=log, stopping=app.stopping)
        except DocumentError as error:
            log.notice(f"{names} is invalid, the old one stays: {' '.join(str(error).split())}")
            return
        app.replace_with(fresh)
        log.notice(f"{names} changed: all sandboxes were restarted")

    watch(places, changed, app.stopping)
