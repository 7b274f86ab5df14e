"""Failures on order, and the rate limit."""

from __future__ import annotations

from mockserver.admin.paging import Call, Mock
from mockserver.faults.rate_limit import PLANS, Plan
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import NotFound
from mockserver.sandbox.records import Record
from mockserver.sandbox.sandbox import Sandbox


@handles("listFaults")
def list_faults(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """Every rule, in the order in which they are asked."""
    return Reply(200, {"faults": sandbox.faults.listed(sandbox.instant())})


@handles("addFault")
def add_fault(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """One more rule, or the rules of a profile."""
    made = sandbox.faults.add(call.body, sandbox.ids.new, sandbox.instant())
    return Reply(201, {"faults": made})


@handles("clearFaults")
def clear_faults(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """No rule is left."""
    sandbox.faults.clear()
    return Reply(204)


@handles("getFault")
def get_fault(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """One rule."""
    return _found(sandbox.faults.get(call.path["id"], sandbox.instant()), call)


@handles("changeFault")
def change_fault(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """Change what is named, and count from 0 again."""
    return _found(sandbox.faults.change(call.path["id"], call.body, sandbox.instant()), call)


@handles("removeFault")
def remove_fault(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """One rule less."""
    if not sandbox.faults.remove(call.path["id"]):
        _found(None, call)
    return Reply(204)


@handles("getRateLimit")
def get_rate_limit(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """Which plan the callers are under."""
    return Reply(200, _shown(sandbox))


@handles("setRateLimit")
def set_rate_limit(call: Call, sandbox: Sandbox, _: Mock) -> Reply:
    """Another plan, with full buckets."""
    body = call.body
    if "plan" in body:
        sandbox.faults.limit(PLANS.get(body["plan"]))
    else:
        per_minute = body["per_minute"]
        plan = Plan("custom", per_minute, body.get("burst", per_minute), body.get("per_day"))
        sandbox.faults.limit(plan)
    return Reply(200, _shown(sandbox))


def _found(fault: Record | None, call: Call) -> Reply:
    if fault is None:
        raise NotFound("Fault not found", reason=f"fault {call.path['id'][:80]!r} does not exist")
    return Reply(200, fault)


def _shown(sandbox: Sandbox) -> Record:
    limits = sandbox.faults.limits
    if limits is None:
        return {"plan": "off", "per_minute": None, "burst": None, "per_day": None}
    plan: Plan = limits.plan
    return {
        "plan": plan.name,
        "per_minute": plan.per_minute,
        "burst": plan.burst,
        "per_day": plan.per_day,
    }
