"""Which of the spec's answers were seen: operation by status by error code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.admin.exchanges import journal_of
from mockserver.admin.registry import Call
from mockserver.engine.calls import Reply
from mockserver.engine.references import resolved
from mockserver.sandbox.sandbox import Record, Sandbox

Answer = tuple[int, str]
"""Status and error code; no code is empty."""


def documented(document: Mapping[str, Any]) -> dict[str, list[Answer]]:
    """operationId -> the answers that the spec describes; the codes are those of its examples."""
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
        examples = [resolved(document, e)["value"] for e in media.get("examples", {}).values()]
        for example in [*examples, media.get("example")]:
            if isinstance(example, dict) and isinstance(example.get("error"), dict):
                codes[example["error"]["code"]] = None
    return list(codes) or [""]


class Coverage:
    """Holds what was seen against what there is."""

    def __init__(self, answers: Mapping[str, list[Answer]]) -> None:
        self._answers = answers

    def get_coverage(self, call: Call, sandbox: Sandbox) -> Reply:
        """Every operation with every answer that is described, or that was seen."""
        journal = journal_of(sandbox)
        counts = journal.counted_everywhere() if call.query["everywhere"] else journal.counted()
        rows: dict[str, dict[Answer, int]] = {
            operation: dict.fromkeys(answers, 0) for operation, answers in self._answers.items()
        }
        unmatched = 0
        for (operation, status, code), count in counts.items():
            if operation in rows:
                rows[operation][(status, code)] = rows[operation].get((status, code), 0) + count
            else:
                unmatched += count
        operations = [self._operation(operation, answers) for operation, answers in rows.items()]
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

    def _operation(self, operation: str, answers: Mapping[Answer, int]) -> Record:
        known = set(self._answers[operation])
        return {
            "operation": operation,
            "count": sum(answers.values()),
            "answers": [
                {
                    "status": status,
                    "code": code or None,
                    "described": (status, code) in known,
                    "count": count,
                }
                for (status, code), count in sorted(answers.items())
            ],
        }
