"""report.html: the run on one self-contained page."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from contracts.http.exchange import decoded
from contracts.http.run import KEY_ROLES
from contracts.report.data import Data, named

ROLES = (*KEY_ROLES, None)
HUMAN = {None: "no key", "status": "status", "code": "error code", "parameter": "parameter"}


def page(data: Data) -> str:
    """HTML of a run."""
    seen: dict[str, int] = {}
    first = {f["id"]: seen.setdefault(json.dumps(f["fingerprint"]), f["id"]) for f in data["failures"]}
    return _template().render(
        data=data,
        run=data["run"],
        rows=_rows(data),
        roles=[role for role in ROLES if any(e["role"] == role for e in data["coverage"]["exercised"])],
        never=_never(data),
        first=first,
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["pretty"] = pretty_json
    environment.filters["slug"] = lambda text: str(text).partition(" ")[0]
    environment.filters["named"] = named
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    environment.filters["when"] = lambda time: time.replace("T", " ").replace("+00:00", " UTC")
    environment.filters["human"] = lambda name: HUMAN.get(name, name)
    return environment.from_string((resources.files("contracts.report") / "page.html").read_text("utf-8"))


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
