"""Language models, output modes and reasoning levels, as the scenario lists them (A114)."""

from __future__ import annotations

from typing import Any

from mockserver.freddy.lookup import Call
from mockserver.freddy.threads import thread_ids_of
from mockserver.http.calls import Reply, handles
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Record, Sandbox

PRICING = "Contact the vendor"
"""Price of a model whose entry has none."""


@handles("listModels")
def list_models(call: Call, sandbox: Sandbox) -> Reply:
    """Models in the order of the scenario, with the fields that the call asks for."""
    query = call.query
    found = [
        _model(model, call, sandbox)
        for model in sandbox.directory.reference["models"]
        if (query["include_deprecated"] or not model.get("is_deprecated"))
        and (not query["ui_models_only"] or model.get("is_visible_in_ui", True))
    ]
    return Reply(200, {"models": found, "total_count": len(found)})


def _model(model: Record, call: Call, sandbox: Sandbox) -> dict[str, Any]:
    fields = {
        "id": model["id"],
        "key": model["key"],
        "name": model["name"],
        "description": model.get("description"),
        "provider": model.get("provider"),
        "is_visible_in_ui": model.get("is_visible_in_ui", True),
        "is_deprecated": model.get("is_deprecated", False),
        "availability_status": model.get("availability_status", "general_availability"),
        "context_window": model.get("context_window"),
    }
    query = call.query
    if query["include_capabilities"]:
        fields["capabilities"] = model.get("capabilities", [])
    if query["include_pricing"]:
        fields["pricing"] = {"message": model.get("pricing") or PRICING}
    if query["include_details"]:
        fields |= model.get("details", {})
    if query["include_recent_usage"]:
        fields["last_used_at"] = _last_use(model["key"], call.caller, sandbox)
    return fields


def _last_use(key: str, caller: Caller, sandbox: Sandbox) -> str | None:
    """Time of the last answer of this model in a thread of the caller; None if there is none."""
    found = sandbox.threads.records(thread_ids_of(caller, sandbox))
    threads = [thread for thread in found if thread["last_model_used"] == key]
    return max((thread["last_message_at"] for thread in threads), default=None)


@handles("getOutputModes")
def get_output_modes(call: Call, sandbox: Sandbox) -> Reply:
    """Output modes of createResponse."""
    modes = [{"is_default": False, **mode} for mode in sandbox.directory.reference["output_modes"]]
    return Reply(200, {"success": True, "output_modes": modes})


@handles("getReasoningLevels")
def get_reasoning_levels(call: Call, sandbox: Sandbox) -> Reply:
    """Reasoning levels of createResponse."""
    levels = [{"is_default": False, **level} for level in sandbox.directory.reference["reasoning_levels"]]
    return Reply(200, {"success": True, "reasoning_levels": levels})
