"""A running mock begins anew from a changed file, or goes on serving what it had if the file is bad."""

from __future__ import annotations

from pathlib import Path

from mockserver.app import MockServer, create_app
from mockserver.commands.file_watch import watch
from mockserver.http.log import RequestLog
from mockserver.openapi.yaml_document import DocumentError
from mockserver.settings import Settings


def watched(settings: Settings) -> list[Path]:
    """The files and folders of the user's own."""
    places = [settings.spec, settings.scenarios, Path(settings.scenario)]
    return [place for place in places if place is not None and place.exists()]


def reload_on_change(app: MockServer, settings: Settings, log: RequestLog) -> None:
    """Watch what the settings name; all sandboxes start over when it changes and is good."""
    places = watched(settings)
    if not places:
        log.notice("there is nothing to watch: --spec, --scenario and --scenarios name no file of yours")
        return
    settings = settings.model_copy(update={"admin_token": app.admin_token})

    def changed(files: list[Path]) -> None:
        names = ", ".join(str(file) for file in files)
        try:
            fresh = create_app(settings, log=log, stopping=app.stopping)
        except DocumentError as error:
            log.notice(f"still serving what was there before {names} changed: {' '.join(str(error).split())}")
            return
        app.become(fresh)
        log.notice(f"{names} changed: all sandboxes have started over")

    watch(places, changed, app.stopping)
