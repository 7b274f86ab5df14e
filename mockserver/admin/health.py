"""Whether the mock runs, and what it serves."""

from __future__ import annotations

from mockserver import __version__
from mockserver.admin.paging import Call, Mock
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.sandbox import Sandbox


@handles("health")
def health(call: Call, _: Sandbox, mock: Mock) -> Reply:
    """It runs."""
    return Reply(200, {"status": "ok", "version": __version__, "spec": mock.served})


@handles("ready")
def ready(call: Call, _: Sandbox, mock: Mock) -> Reply:
    """It can be used."""
    return Reply(200, {"status": "ready", "scenario": mock.sandboxes.start.world.name})
