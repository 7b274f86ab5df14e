"""Coverage of the spec: which documented answers were seen, by operation, status and error code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.admin.paging import Call, ControlContext
from mockserver.http.calls import Reply, handles
from mockserver.openapi.references import examples_in, resolved
from mockserver.sandbox.sandbox import Record, Sandbox

DocumentedAnswer = tuple[int, str]
"""Status and error code; empty without a code."""


def documented(document: Mapping[str, Any]) -> dict[str, list[DocumentedAnswer]]:
    """Documented answers by operationId; the codes are those of the examples."""
    found = {}
    for item in document["paths"].values():
        for node in item.values():
            if isinstance(node, dict) and "operationId" in node:
                found[node["operationId"]] = [
                    (int(status), code)
                    for status, response in node["responses"].items()
                    for code in _codes(document, resolved(document, response))
                ]
    return found


def _codes(document: Mapping[str, Any], response: Mapping[str, Any]) -> list[str]:
    codes: dict[str, None] = {}
    for media in response.get("content", {}).values():
        for _, example in examples_in(document, media):
            if isinstance(example, dict) and isinstance(example.get("error"), dict):
                codes[example["error"]["code"]] = None
    return list(codes) or [""]


@handles("getCoverage")
def get_coverage(call: Call, sandbox: Sandbox, context: ControlContext) -> Reply:
    """All operations with their answers, documented or seen."""
    journal, known = sandbox.journal, documented(context.documents["openapi.json"])
    counts = journal.counted(everywhere=call.query["everywhere"])
    rows: dict[str, dict[DocumentedAnswer, int]] = {
        operation: dict.fromkeys(answers, 0) for operation, answers in known.items()
    }
    unmatched = 0
    for (operation, status, code), count in counts.items():
        if operation in rows:
            rows[operation][(status, code)] = rows[operation].get((status, code), 0) + count
        else:
            unmatched += count
    operations = [_operation(operation, answers, known[operation]) for operation, answers in rows.items()]
    described = [a for o in operations for a in o["answers"] if a["described"]]
    return Reply(
        200,
        {
            "described": len(described),
            "seen": sum(answer["count"] > 0 for answer in described),
            "unmatched": unmatched,
            "operations": operations,
        },
    )


def _operation(
    operation: str, answers: Mapping[DocumentedAnswer, int], known: list[DocumentedAnswer]
) -> Record:
    return {
        "operation": operation,
        "count": sum(answers.values()),
        "answers": [
            {"status": status, "code": code or None, "described": (status, code) in known, "count": count}
            for (status, code), count in sorted(answers.items())
        ],
    }
