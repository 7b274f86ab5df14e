"""Lists that take no notice of what was asked for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from mockserver.freddy.lookup import Call
from mockserver.http.calls import Reply
from mockserver.sandbox.sandbox import Sandbox
from tests.contracts.mutants.bench import Bench, Handler, add

IGNORED = [
    ("listThreads", "after", None),
    ("listThreads", "limit", 20),
    ("listThreads", "assistant_id", None),
    ("listThreads", "include_deleted", False),
    ("listThreads", "visible_in_ui", None),
    ("listThreadMessages", "after", None),
    ("listThreadMessages", "limit", 20),
    ("listThreadMessages", "order", "asc"),
    ("listVectorStores", "search", None),
    ("listVectorStores", "access_mode", None),
    ("listVectorStores", "flow_id", None),
    ("listVectorStores", "flowplate_project_id", None),
    ("listVectorStores", "sort", "created_at"),
    ("listVectorStores", "order", "desc"),
    ("listVectorStores", "skip", 0),
    ("listVectorStores", "take", 50),
]
"""Operation, parameter, and as if that had been sent."""


def _damage(bench: Bench, operation: str, name: str, value: Any) -> None:
    def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
        return handler(replace(call, query={**call.query, name: value}), sandbox)

    bench.around(operation, wrap)


for _operation, _name, _value in IGNORED:
    add(
        f"ignored-{_operation}-{_name.replace('_', '-')}",
        f"{_operation} takes no notice of {_name}.",
        partial(_damage, operation=_operation, name=_name, value=_value),
        assumed=_name == "visible_in_ui",
    )
