"""The mock as a Flask application: for its documents a WSGI callable, for everything else Flask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from mockserver.corridor import Corridor
from mockserver.extensions.blueprints import refuse_unreachable
from mockserver.extensions.views import CONTEXT
from mockserver.http.routes import Routes
from mockserver.journal.journal import Journals
from mockserver.profile.profile import DeploymentProfile
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.state_document.state_file import StateDocuments

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ADMIN_PREFIX = "/__admin"


class MockServer(Flask):
    """Flask application whose every request is answered by the corridor.

    Routes that are added to it answer where no document has the path (docs/extend.md).
    """

    def __init__(
        self,
        corridor: Callable[[Flask], Corridor],
        documented: Routes,
        sandboxes: Sandboxes,
        stopping: threading.Event,
        admin_token: str | None,
        states: StateDocuments,
    ) -> None:
        super().__init__("mockserver", static_folder=None)
        self.sandboxes = sandboxes
        self.states = states
        self.stopping = stopping
        """Set on shutdown; every sleep, wait and stream ends then."""
        self.admin_token = admin_token
        """Token that the control API requires; None if it requires none."""
        self.keeper: Any = None
        """Keeps the sandboxes beyond the process; None without `--persist`."""
        self.recovery: Callable[[Callable[[str], bytes]], Any]
        """Makes sandboxes from what was kept, with whole states by hash; set by `create_app`."""
        self.journals: Journals
        """Journals and events of all sandboxes; set by `create_app`."""
        self.profile = DeploymentProfile()
        self.front: Any = None
        """What a proxy has beyond a mock; None of a mock."""
        self.foreign_files: list[Path] = []
        """Files that documents of `--also` refer to."""
        self.foreign: Sequence[Any] = ()
        """APIs of `--also`."""
        self._documented = documented
        self._corridor = corridor(self)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass every request straight to the corridor."""
        return self._corridor(environ, start_response)

    def body_limit(self, environ: WSGIEnvironment) -> int:
        """Most bytes of a request's body to receive before the request is answered."""
        return self._corridor.body_limit(environ)

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Add a route, as Flask does; ValueError for one that no request could reach."""
        refuse_unreachable(rule, self._documented, [ADMIN_PREFIX])
        super().add_url_rule(rule, *args, **options)

    def log_exception(self, exc_info: Any) -> None:
        """Log the failure of a view as any other failure, with secrets masked."""
        self._corridor.log_failure(request.environ[CONTEXT], exc_info[1])

    def replace_with(self, other: MockServer) -> None:
        """Serve what `other` serves from now on; requests in progress finish with the previous state."""
        self.sandboxes, self.states = other.sandboxes, other.states
        self._corridor = other._corridor
