"""What the mock can start from and was started with: scenarios and settings."""

from __future__ import annotations

from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.sandbox import Sandbox


@handles("listScenarios")
def list_scenarios(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """Names of the scenarios, and which one a new sandbox has."""
    sandboxes = context.sandboxes
    return Reply(200, {"scenarios": sandboxes.catalogue.names(), "start": sandboxes.start.data.name})


@handles("getSettings")
def get_settings(call: Call, _: Sandbox, context: ControlContext) -> Reply:
    """Settings of the mock, without secrets."""
    return Reply(200, {"settings": context.settings})
