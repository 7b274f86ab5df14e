"""Handlers of fault rules and of the rate limit."""

from __future__ import annotations

from mockserver.admin.paging import Call, ControlContext
from mockserver.faults.rate_limit import PLANS, Plan
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import NotFound
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Sandbox


@handles("listFaults")
def list_faults(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """All rules, in order."""
    return Reply(200, {"faults": sandbox.faults.listed(sandbox.instant())})


@handles("addFault")
def add_fault(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Add a rule, or those of a profile."""
    added = sandbox.faults.add(call.body, sandbox.ids.new, sandbox.instant())
    return Reply(201, {"faults": added})


@handles("clearFaults")
def clear_faults(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Remove all rules."""
    sandbox.faults.clear()
    return Reply(204)


@handles("getFault")
def get_fault(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Return one rule."""
    return _rule_reply(sandbox.faults.get(call.path["id"], sandbox.instant()), call)


@handles("changeFault")
def change_fault(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Change the fields sent, and reset the counts."""
    return _rule_reply(sandbox.faults.change(call.path["id"], call.body, sandbox.instant()), call)


@handles("releaseFault")
def release_fault(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Let pass what a rule holds."""
    return _rule_reply(sandbox.faults.release(call.path["id"], sandbox.instant()), call)


@handles("removeFault")
def remove_fault(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Remove a rule."""
    if not sandbox.faults.remove(call.path["id"]):
        _rule_reply(None, call)
    return Reply(204)


@handles("getRateLimit")
def get_rate_limit(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Current rate-limit plan."""
    return Reply(200, _rate_limit_body(sandbox))


@handles("setRateLimit")
def set_rate_limit(call: Call, sandbox: Sandbox, _: ControlContext) -> Reply:
    """Set a plan, with full buckets."""
    body = call.body
    if "plan" in body:
        sandbox.faults.limit(PLANS.get(body["plan"]))
    else:
        per_minute = body["per_minute"]
        plan = Plan("custom", per_minute, body.get("burst", per_minute), body.get("per_day"))
        sandbox.faults.limit(plan)
    return Reply(200, _rate_limit_body(sandbox))


def _rule_reply(fault: Record | None, call: Call) -> Reply:
    if fault is None:
        raise NotFound("Fault not found", reason=f"fault {call.path['id'][:80]!r} does not exist")
    return Reply(200, fault)


def _rate_limit_body(sandbox: Sandbox) -> Record:
    limiter = sandbox.faults.rate_limiter
    if limiter is None:
        return {"plan": "off", "per_minute": None, "burst": None, "per_day": None}
    name, per_minute, burst, per_day = limiter.plan
    return {"plan": name, "per_minute": per_minute, "burst": burst, "per_day": per_day}
