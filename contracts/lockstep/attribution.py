"""What a difference between model and target contradicts: a claim of openapi.yaml, or an assumption."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from comparison.answers import AnswerDifference
from contracts.checks import requests
from contracts.checks.claims import Basis, Node, basis
from contracts.checks.errors import Broken, Fingerprint
from contracts.checks.evidence import LOADER, Evidence, assumptions, effects
from contracts.checks.spec import DocumentedOperation, document
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.lockstep.api import Step
from contracts.lockstep.found import Found

_MEMBERS = ("length", "items")
"""Kinds of differences of which the order of the calls decides which one is seen."""
_TEXTS = ("code", "message", "system_message")


@cache
def patterns() -> Mapping[str, list[Mapping[str, Any]]]:
    """Differences that an effect or an assumption explains, from contracts/lockstep/differences.yaml."""
    text = (resources.files("contracts") / "lockstep" / "differences.yaml").read_text("utf-8")
    found: Mapping[str, list[Mapping[str, Any]]] = yaml.load(text, LOADER)  # noqa: S506 - a safe loader
    return found


def failures(found: Found) -> Iterator[Broken]:
    """Failures that the differences of one answer are."""
    for difference in found.differences:
        yield _failure(found, difference)


def _failure(found: Found, difference: AnswerDifference) -> Broken:
    operation = document().by_id(found.step["op"])
    founded = founding(found, operation, difference)
    where = f" at {difference.pointer}" if difference.pointer else ""
    brief = f"{operation.id}: {difference.kind}{where}: the model {_brief(difference.left)}, "
    brief += f"the target {_brief(difference.right)}"
    who = f"as {found.step['role'] or found.step.get('as') or 'nobody'}"
    calls = len(found.steps) - 1
    who += f", after {calls} call{'s' * (calls != 1)}"
    is_status = difference.kind == "status"
    return Broken(
        f"{brief}, {who}; the model's answer: {found.model.text[:300]}",
        expected=difference.left if is_status else _brief(difference.left),
        got=difference.right if is_status else _brief(difference.right),
        evidence=founded.evidence,
        assumption=founded.assumption,
        what=f"{difference.kind}{where}",
        brief=brief,
        fingerprint=Fingerprint(
            operation.id,
            found.target.status if is_status else None,
            _place(difference),
            "lockstep",
            _claim(found, difference, founded),
        ),
        chain=tuple(found.chain),
    )


def _place(difference: AnswerDifference) -> str:
    """Place of a difference, with the first field of those that one side lacks."""
    if difference.kind != "fields":
        return difference.pointer
    return f"{difference.pointer}/{[*difference.left, *difference.right][0]}"


def _claim(found: Found, difference: AnswerDifference, founded: Basis) -> str:
    """What the target contradicts, whichever calls showed it: an assumption, or the status that is due."""
    if founded.assumption:
        return founded.assumption
    if difference.kind == "status":
        return f"{found.model.status} is due"
    return "members" if difference.kind in _MEMBERS else "order" if difference.kind == "order" else "value"


def _brief(value: Any) -> str:
    return str(value) if isinstance(value, int) else repr(value)[:80]


def founding(found: Found, operation: DocumentedOperation, difference: AnswerDifference) -> Basis:
    """Claim that the target contradicts; what nothing explains is broken."""
    status = found.target.status
    if status >= 500:
        return basis((operation.raw,))
    for id_, rows in patterns().items():
        if not any(_fits(row, found, difference) for row in rows):
            continue
        if id_ in effects():
            return Basis(effects()[id_].evidence)
        if _allows(id_, difference):
            return Basis(Evidence.ASSUMED, (id_,))
    if difference.kind == "status":
        return _of_status(found.model, found.target, operation)
    if difference.pointer.startswith("/error/") and difference.pointer.rpartition("/")[2] in _TEXTS:
        code, name = found.model.error.get("code"), difference.pointer.rpartition("/")[2]
        text_basis = document().text_basis(
            operation, status, code, name, str(found.model.error.get(name, ""))
        )
        return text_basis or document().basis(operation, status)
    if difference.kind == "header":
        assumed = document().header_assumption(operation, status, difference.pointer)
        return Basis(Evidence.ASSUMED, (assumed,)) if assumed else document().basis(operation, status)
    return _of_place(operation, status, difference)


def _of_status(model: ClientResponse, target: ClientResponse, operation: DocumentedOperation) -> Basis:
    """Basis of the rule that one of the two kept and the other did not."""
    part = None
    if model.status in (413, 422) and target.status < 300:
        part = requests.accepted(document(), operation, target)
    elif model.status < 300 and target.status in (400, 422):
        part = requests.refused(document(), operation, target)
    return part or document().basis(operation, model.status)


def _of_place(operation: DocumentedOperation, status: int, difference: AnswerDifference) -> Basis:
    """Basis of a value; a field whose own mark names an assumption of what it says rests on that."""
    missing = f"/{difference.left[0]}" if difference.kind == "fields" and difference.left else ""
    nodes = [*_nodes(operation, status, difference.pointer + missing)]
    founded = basis((operation.raw, document().response(operation, status), *nodes))
    own = [id_ for node in nodes[-2:] if "properties" not in node for id_ in node.get("x-assumption", ())]
    open_ = [id_ for id_ in own if assumptions()[id_].alternatives.get("behaviour")]
    return Basis(Evidence.ASSUMED, (open_[0],)) if open_ else founded


def _nodes(operation: DocumentedOperation, status: int, pointer: str) -> Iterator[Node]:
    """Schemas on the way to a place of a body, outermost first."""
    media = document().response(operation, status).get("content", {}).get("application/json", {})
    node = media.get("schema", {})
    for part in [*pointer.split("/")[1:], ""]:
        yield node
        target = document().resolved(node)
        if target is not node:
            yield target
        forms = [
            target,
            *(document().resolved(form) for w in ("allOf", "anyOf", "oneOf") for form in target.get(w, ())),
        ]
        inner = (f.get("items") if part == "*" else f.get("properties", {}).get(part) for f in forms)
        node = next((each for each in inner if each is not None), None)
        if node is None:
            return


def _fits(row: Mapping[str, Any], found: Found, difference: AnswerDifference) -> bool:
    """Whether a difference is one of a row; a row without place and kind is about the status."""
    if "at" not in row and "kind" not in row and difference.kind != "status":
        return False
    return all(_CONDITIONS[name](value, found, difference) for name, value in row.items())


def _error(answer: ClientResponse) -> str:
    return f"{answer.error.get('code')} {answer.error.get('system_message')}"


def _sent(request: ClientRequest) -> str:
    return f"{request.path} {request.text}"


def _last_write(found: Found) -> Step:
    """Call that may have led to a difference: the last one before it that writes."""
    writes = (step for step in reversed(found.steps[:-1]) if document().by_id(step["op"]).writes)
    return next(writes, {})


_CONDITIONS: Mapping[str, Callable[[Any, Found, AnswerDifference], object]] = {
    "op": lambda names, found, _: found.step["op"] in names.split(),
    "status": lambda statuses, found, _: str(found.model.status) in str(statuses).split(),
    "says": lambda text, found, _: re.search(text, _error(found.model)),
    "answers": lambda text, found, _: re.search(text, found.target.text),
    "kind": lambda kinds, _, difference: difference.kind in kinds.split(),
    "at": lambda pattern, _, difference: re.search(pattern, difference.pointer),
    "values": lambda pattern, _, difference: re.search(pattern, f"{difference.left} {difference.right}"),
    "after": lambda names, found, _: _last_write(found).get("op") in names.split(),
    "earlier": lambda names, found, _: {*names.split()} & {step["op"] for step in found.steps},
    "named": lambda pattern, found, _: re.search(pattern, json.dumps(found.step["path"])),
    "wrote": lambda pattern, found, _: re.search(pattern, json.dumps(_last_write(found).get("body"))),
    "fewer": lambda wanted, _, difference: (len(difference.right) < len(difference.left)) == wanted,
    "drained": lambda wanted, found, _: found.is_drained == wanted,
    "by": lambda roles, found, _: str(found.step["role"]) in roles.split(),
    "sent": lambda pattern, found, _: re.search(pattern, _sent(found.target.request)),
}
CONDITIONS = frozenset(_CONDITIONS)
"""Names of the conditions of a row of differences.yaml."""


def _allows(id_: str, difference: AnswerDifference) -> bool:
    """Whether the alternatives of an assumption have the target's status; they name any that accepts."""
    alternatives = assumptions()[id_].alternatives
    if difference.kind != "status":
        return True
    is_accepted = difference.right < 300 <= difference.left
    return difference.right in alternatives.get("status", [] if is_accepted else [difference.right])
