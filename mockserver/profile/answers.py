"""Answers by a profile: refusals whose status, code, texts or form a deployment has otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mockserver.http.context import Refusal
from mockserver.http.problems import Problem, Rendered
from mockserver.profile.profile import DeploymentProfile
from mockserver.profile.switches import switches, text_of

Render = Callable[[Problem, str, str], Rendered]


class ProfileAnswers:
    """Refusals as a profile has them."""

    def __init__(self, profile: DeploymentProfile) -> None:
        rows = [
            (id_, row, each)
            for id_, each in profile.followed.items()
            if isinstance(each, dict)
            for row in switches()[id_].refusals
        ]
        self._rows = [
            (id_, row, each)
            for id_, row, each in rows
            if each.keys() & {*row["parts"]} and (each.get("status", 400) >= 300 or row.get("bodiless"))
        ]

    def instead(self, refusal: Refusal) -> Problem:
        """Problem with the parts of every switch that it fits; the same if none does."""
        problem = refusal.problem
        for id_, row, parts in self._rows:
            if fits(id_, row, refusal):
                if problem is refusal.problem:
                    problem = problem.copied()
                    problem.by_profile, problem.rule = True, "profile"
                    problem.reason = f"{problem.reason}; by the profile:"
                chosen = {part: value for part, value in parts.items() if part in row["parts"]}
                for part, value in chosen.items():
                    setattr(problem, part, _with_ids(value, refusal.ids))
                problem.reason += f" {id_} {text_of(chosen)}"
        return problem


def rendering(profile: DeploymentProfile, render: Render) -> Render:
    """Rendering of problems, with the forms that a profile has."""
    forms = [_FORMS[id_] for id_ in profile.followed if id_ in _FORMS]
    if not forms:
        return render

    def rendered(problem: Problem, trace_id: str, now: str) -> Rendered:
        for form in forms:
            problem, trace_id = form(problem, trace_id)
        return render(problem, trace_id, now)

    return rendered


def _another_trace_id(problem: Problem, trace_id: str) -> tuple[Problem, str]:
    return problem, str(uuid5(NAMESPACE_URL, trace_id))


def _with_pointers(problem: Problem, trace_id: str) -> tuple[Problem, str]:
    fields = problem.details.get("fields")
    if fields:
        problem = problem.copied()
        named = [{**each, "name": "/" + each["name"].replace(".", "/")} for each in fields]
        problem.details = {**problem.details, "fields": named}
    return problem, trace_id


def _with_challenge(problem: Problem, trace_id: str) -> tuple[Problem, str]:
    if problem.status == 401:
        problem.headers["WWW-Authenticate"] = "Bearer"
    return problem, trace_id


_FORMS: Mapping[str, Callable[[Problem, str], tuple[Problem, str]]] = {
    "A25": _another_trace_id,
    "A54": _with_pointers,
    "A59": _with_challenge,
}


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """Text with the ids of the path in place of their names, such as {thread_id}."""
    if isinstance(value, str):
        for name, id_ in ids.items():
            value = value.replace(f"{{{name}}}", id_)
    return value


def fits(id_: str, row: Mapping[str, Any], refusal: Refusal) -> bool:
    """Whether a row of a switch is about a refusal."""
    return all(test(row[name], id_, refusal) for name, test in _CONDITIONS.items() if name in row)


def _field_lines(problem: Problem) -> list[str]:
    return [f"{f['in']} {f['name']}: {f['message']}" for f in problem.details.get("fields", ())]


_CONDITIONS: Mapping[str, Callable[[Any, str, Refusal], object]] = {
    "operations": lambda names, _, refusal: refusal.operation in names,
    "method": lambda pattern, _, refusal: re.search(pattern, refusal.method),
    "path": lambda pattern, _, refusal: re.search(pattern, refusal.path),
    "query": lambda pattern, _, refusal: re.search(pattern, refusal.query),
    "status": lambda status, _, refusal: refusal.problem.status == status,
    "code": lambda code, _, refusal: refusal.problem.code == code,
    "says": lambda pattern, _, refusal: re.search(pattern, refusal.problem.system_message),
    "fields": lambda pattern, _, refusal: any(re.search(pattern, x) for x in _field_lines(refusal.problem)),
    "marked": lambda _, id_, refusal: refusal.problem.assumption == id_,
}
CONDITIONS = frozenset((*_CONDITIONS, "parts", "bodiless"))
"""Names that a row of a refusal may have."""
