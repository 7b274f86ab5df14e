"""GitHub Actions output: annotations of a commit, and the step summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.report.data import MANY, Data, counted
from contracts.verdict.diff import cut

_LEVELS = {"broken": "error", "known": "notice"}


def workflow_commands(data: Data, lines: Mapping[str, int]) -> Iterator[str]:
    """Annotation for each failure; `lines` are the operations' lines in openapi.yaml."""
    strict = data["run"]["strict_assumptions"]
    for failure in data["failures"]:
        verdict, operation = failure["verdict"], failure["fingerprint"]["operation"]
        level = _LEVELS.get(verdict, "error" if strict and verdict.startswith("assumption") else "warning")
        at = f"file=openapi.yaml,line={lines[operation]}," if operation in lines else ""
        title = _escaped(f"{verdict}: {failure['check']}", more=True)
        text = cut(failure["message"], 400) + "\n" + failure["sentence"]
        yield f"::{level} {at}title={title}::{_escaped(text)}"


def step_summary(data: Data) -> str:
    """Markdown summary of the run."""
    run, counts = data["run"], data["coverage"]["counts"]
    conditions = f"profile {run['profile']}, seed {run['seed']}, {run['seconds']:.0f} s"
    lines = [
        f"## {_heading(data)}",
        "",
        f"`{run['target']}`, {conditions}: {counted(data['summary'])}.",
        "",
    ]
    if data["failures"]:
        lines += ["| # | verdict | check | failure | evidence |", "|---|---|---|---|---|"]
        lines += [
            f"| {f['id']} | {f['verdict']} | `{f['check']}` | {_cell(f['message'])} | {_evidence(f)} |"
            for f in data["failures"]
        ]
        lines.append("")
    covered = ", ".join(f"{n['exercised']} of {n['documented']} {MANY[what]}" for what, n in counts.items())
    lines += [f"Exercised: {covered}, with {data['coverage']['requests']} requests.", ""]
    return "\n".join(lines)


def _heading(data: Data) -> str:
    if data["run"]["crash"]:
        return f"The run crashed: {_cell(data['run']['crash'])}"
    return "The contract holds" if data["holds"] else "The contract is broken"


def _evidence(failure: Data) -> str:
    return str(failure["evidence"]) + (f" ({failure['assumption']})" if failure["assumption"] else "")


def _cell(text: str) -> str:
    signs = {"|": "\\|", "<": "&lt;", "`": "'"}
    return "".join(signs.get(sign, sign) for sign in cut(text, 200))


def _escaped(text: str, *, more: bool = False) -> str:
    signs = {"%": "%25", "\r": "%0D", "\n": "%0A"} | ({":": "%3A", ",": "%2C"} if more else {})
    return "".join(signs.get(sign, sign) for sign in text)
