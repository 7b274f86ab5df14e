"""Handlers of health checks."""

from __future__ import annotations

from mockserver import __version__
from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.sandbox import Sandbox


@handles("health")
def health(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """The process is alive."""
    return Reply(200, {"status": "ok", "version": __version__, "spec": context.served})


@handles("ready")
def ready(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """The mock is ready for requests."""
    return Reply(200, {"status": "ready", "scenario": context.sandboxes.start.data.name})
