"""Handler of who may do what in a space: the vendor's operations themselves say which level they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.admin.paging import Call, ControlContext
from mockserver.freddy import HANDLERS
from mockserver.freddy.access import Access, rule_for
from mockserver.http import calls
from mockserver.http.calls import Reply, handles
from mockserver.http.problems import Forbidden, NotFound
from mockserver.openapi.references import resolved
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Record, Sandbox

NOBODY = Caller("\0")
"""Caller whom no rule can name: every operation that needs access refuses it, and so changes nothing."""


@handles("getSpaceAccess")
def get_space_access(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """People with their level and its rule, and operations with the people who may call them."""
    space = sandbox.spaces.get(call.path["space_id"])
    if space is None:
        reason = f"no space {call.path['space_id']!r}; GET /__admin/records/spaces lists them"
        raise NotFound("Space not found", reason=reason)
    rules = {id_: rule_for(space, user) for id_, user in sorted(sandbox.directory.users.items())}
    people = [
        {
            "user_id": id_,
            "name": sandbox.directory.users[id_].name,
            "level": rule.level.name,
            "rule": rule.by or None,
        }
        for id_, rule in rules.items()
    ]
    operations = [
        {
            "operation": operation,
            "fields": fields,
            "needed": needed.name,
            "allowed": [id_ for id_, rule in rules.items() if rule.level >= needed],
        }
        for operation, fields, needed in _needs(space["id"], sandbox, context.documents["openapi.json"])
    ]
    return Reply(200, {"space_id": space["id"], "people": people, "operations": operations})


def _needs(
    space_id: str, sandbox: Sandbox, document: Mapping[str, Any]
) -> Iterator[tuple[str, list[str], Access]]:
    """(operation, fields of the body that need another level than the rest, level) of each in a space."""
    for path, item in document["paths"].items():
        for node in item.values() if "{space_id}" in path else ():
            operation = node.get("operationId") if isinstance(node, dict) else None
            if operation not in HANDLERS:  # the parameters of a path
                continue
            names = {"space_id": space_id}
            needed = _needed(operation, names, {}, sandbox)
            yield operation, [], needed
            others: dict[Access, list[str]] = {}
            for field in _fields(node, document):
                level = _needed(operation, names, {field: None}, sandbox)
                others.setdefault(level, []).append(field)
            yield from ((operation, fields, level) for level, fields in others.items() if level != needed)


def _needed(operation: str, names: Mapping[str, str], body: Record, sandbox: Sandbox) -> Access:
    asked = calls.Call(operation, names, {}, body, NOBODY)
    try:
        HANDLERS[operation](asked, sandbox)
    except Forbidden:
        return Access[asked.grants[-1][3]]
    raise AssertionError(f"{operation} lets everybody in")


def _fields(node: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    """Names of the fields of an operation's body; none without one."""
    if "requestBody" not in node:
        return []
    content = resolved(document, node["requestBody"])["content"].get("application/json", {"schema": {}})
    return [*resolved(document, content["schema"]).get("properties", ())]
