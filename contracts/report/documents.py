"""Reports made from templates: report.html, junit.xml, and the step summary of GitHub."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from contracts.http.exchange import decoded
from contracts.http.run import KEY_ROLES
from contracts.http.visible import visible
from contracts.report.data import Data, counted, covered, named
from contracts.verdict.diff import cut

_IN_CELL = str.maketrans(
    {"|": "\\|", "<": "&lt;", "&": "&amp;", "`": "'", "[": "\\[", "!": "&#33;", "@": "&#64;"}
)
"""Characters with a meaning in Markdown -> how a cell of a table shows them."""
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ROLES = (*KEY_ROLES, None)
HEADINGS = {
    "holds": "The contract holds",
    "broken": "The contract is broken",
    "not judged": "No result about the contract",
    "stopped": "The run was stopped",
    "crashed": "The run crashed",
}
HUMAN = {None: "no key", "status": "status", "code": "error code", "parameter": "parameter"}


def page(data: Data) -> str:
    """HTML of a run, on one self-contained page."""
    roles = [role for role in ROLES if any(e["role"] == role for e in data["coverage"]["exercised"])]
    return _rendered("report.html", data, rows=_rows(data), roles=roles, never=_never(data))


def junit(data: Data) -> str:
    """JUnit XML of a run: a test case for each check; those that don't count are skipped, with a reason."""
    return _NO_XML.sub("\ufffd", _rendered("junit.xml", data))


def step_summary(data: Data) -> str:
    """Markdown summary of a run."""
    return _rendered("summary.md", data)


def _rendered(name: str, data: Data, **more: Any) -> str:
    heading = HEADINGS[data["result"]]
    return _environment().get_template(name).render(data=data, run=data["run"], heading=heading, **more)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("contracts", "report"),
        autoescape=select_autoescape(("html", "xml")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value) if isinstance(value, str) else value,
    )
    environment.filters |= {
        "pretty": pretty_json,
        "slug": lambda text: str(text).partition(" ")[0],
        "named": named,
        "json": lambda value: json.dumps(value, ensure_ascii=False),
        "when": lambda time: time.replace("T", " ").replace("+00:00", " UTC"),
        "human": lambda name: HUMAN.get(name, name),
        "counted": counted,
        "covered": covered,
        "cell": lambda text: cut(text, 200).translate(_IN_CELL),
    }
    return environment


def pretty_json(value: Any) -> str:
    """Readable JSON of a value or JSON text; other text unchanged."""
    if isinstance(value, str):
        try:
            value = decoded(value)
        except ValueError:
            return str(value)
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text if len(text) > 60 else json.dumps(value, ensure_ascii=False)


def _rows(data: Data) -> list[Data]:
    """Rows of the coverage table: operation, statuses, roles and checks."""
    exercised, never = data["coverage"]["exercised"], data["coverage"]["never"]
    undocumented = {(row["operation"], row["status"]) for row in data["coverage"]["undocumented"]}
    operations = dict.fromkeys([e["operation"] for e in exercised] + [m["operation"] for m in never])
    rows = []
    for operation in operations:
        mine = [row for row in exercised if row["operation"] == operation]
        missed: dict[str, list[str]] = {}
        for each in never:
            if (each["operation"], each["what"]) == (operation, "status"):
                missed.setdefault(each["reason"], []).append(each["name"])
        statuses = []
        for status in sorted({row["status"] for row in mine}):
            here = [row for row in mine if row["status"] == status]
            roles: Counter[str | None] = Counter()
            checks: Counter[str] = Counter()
            for row in here:
                roles[row["role"]] += row["requests"]
                checks[row["check"]] += row["requests"]
            statuses.append(
                {
                    "status": status,
                    "roles": roles,
                    "checks": checks.most_common(),
                    "undocumented": (operation, status) in undocumented,
                }
            )
        outcomes = [o for o in data["outcomes"] if operation in o["operations"]]
        verdicts = Counter(o["verdict"] for o in outcomes)
        row = {"operation": operation, "statuses": statuses, "missed": missed}
        rows.append({**row, "verdicts": verdicts.most_common()})
    return rows


def _never(data: Data) -> list[Data]:
    """Items never exercised, grouped by reason."""
    groups: dict[tuple[str, str], list[Data]] = {}
    for missed in data["coverage"]["never"]:
        groups.setdefault((missed["what"], missed["reason"]), []).append(missed)
    found = [{"what": what, "reason": reason, "items": items} for (what, reason), items in groups.items()]
    return sorted(
        found, key=lambda group: ("status code parameter".index(group["what"]), -len(group["items"]))
    )
