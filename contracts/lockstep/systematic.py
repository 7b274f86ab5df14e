"""Systematic sequences: each operation by each caller, each parameter and field with each of its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from random import Random
from typing import Any

from contracts.checks.spec import DocumentedOperation
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.lockstep.api import KINDS, LINKED, REFUSED, Step, key_of
from contracts.lockstep.calls import Calls
from contracts.lockstep.play import Lockstep
from contracts.lockstep.starts import RICH, prepared
from contracts.lockstep.words import ODD, listed
from contracts.lockstep.world import World

ODD_CURSORS = ("!", "YQ", "é", "0")
"""Texts that are no cursor: other alphabets, other contents."""
ANCHORS = ("after", "before")
"""Parameters that name an item of the list itself."""
_KEY = key_of("owner")
CREDENTIALS = (
    *(("Authorization", f"{scheme} {_KEY}") for scheme in ("bearer", "BEARER", "Token", "Basic", "Bearer x")),
    *(
        ("Authorization", text)
        for text in (f"Bearer  {_KEY}", f"Bearer{_KEY}", str(_KEY), "Bearer", "Bearer ", "")
    ),
    *(("X-API-Key", text) for text in (f" {_KEY} ", f"{_KEY}x", str(_KEY).upper(), f"Bearer {_KEY}", "")),
)
"""Credentials spelled in other ways: header and value."""
_ORDER = ("get", "patch", "put", "post", "delete")


def groups(lockstep: Lockstep) -> list[list[DocumentedOperation]]:
    """Operations of one sequence each: those of one resource, reads first; each deletion alone."""
    found: dict[str, list[DocumentedOperation]] = {}
    for each in lockstep.operations.values():
        if lockstep.may_ask or each.id not in MODEL_OPERATIONS:
            found.setdefault(each.id if each.method == "delete" else each.raw["tags"][0], []).append(each)
    return [sorted(group, key=lambda each: _ORDER.index(each.method)) for group in found.values()]


def sequence(lockstep: Lockstep, operations: Sequence[DocumentedOperation]) -> Iterator[Step]:
    """Steps of the operations of one group, after a state with something of everything."""
    callers = lockstep.target.callers
    world = World(Random(0), callers, lockstep.names)
    calls = Calls(Random(0), lockstep.contract, callers, world, on_mock=lockstep.target.is_mock)
    for call in RICH:
        step = prepared(call, calls.bare("", "owner"), world)
        yield step
        world.learn(step)
    for operation in operations:
        for step in _Variants(lockstep, calls, world, operation).all():
            yield step
            world.learn(step)


class _Variants:
    """Calls of one operation."""

    def __init__(
        self, lockstep: Lockstep, calls: Calls, world: World, operation: DocumentedOperation
    ) -> None:
        self._calls, self._world, self._operation = calls, world, operation
        self._callers, self._contract = lockstep.target.callers, lockstep.contract
        self._parameters = lockstep.contract.parameters(operation)
        anchor = "thread" if operation.id == "listThreads" else "message"
        self._kinds = {**KINDS, **dict.fromkeys(ANCHORS, anchor)}
        media = self._contract.resolved(operation.raw.get("requestBody", {})).get("content", {})
        self._schema = self._contract.resolved(media.get("application/json", {}).get("schema", {}))
        self._is_form = bool(media) and "application/json" not in media

    def all(self) -> Iterator[Step]:
        """By each caller and on other things; each optional part with each value by the owner."""
        for role in (*self._callers[1:], None, *REFUSED):
            yield self._plain(role)
        yield from self._elsewhere()
        yield from self._by_parameter()
        for name, schema in self._schema.get("properties", {}).items():
            for value in self._values(schema, name):
                yield self._with("body", {**self._needed(name), name: value})
            for role in self._callers[1:] if self._operation.method == "patch" else ():
                yield self._with("body", {name: self._values(schema, name)[0]}, role)
        yield from self._by_two_fields()
        for place in ("path", "body"):
            for name in [name for name in self._plain("owner").get(place, {}) if name in self._kinds]:
                for other in self._others(self._kinds[name]):
                    yield self._with(place, {name: other})
        yield self._plain("owner")
        yield self._plain("owner")
        yield from self._without_role()

    def _without_role(self) -> Iterator[Step]:
        """By whoever has a link, at several times, and with credentials that are spelled otherwise."""
        if self._operation.id in LINKED and self._world.live.get("link"):
            for seconds in (0, 3500, 200):
                yield {**self._plain(None), "link": {"$": self._world.live["link"][-1]}, "tick": seconds}
        for name, value in CREDENTIALS:
            yield {**self._plain(None), "headers": {name: value}}

    def _by_two_fields(self) -> Iterator[Step]:
        """Each two fields of the body together, and those that need another without it."""
        values = {n: self._values(schema, n) for n, schema in self._schema.get("properties", {}).items()}
        for one, other in combinations([name for name, found in values.items() if found], 2):
            yield self._with("body", {one: values[one][0], other: values[other][0]})
        for name in values:
            if self._needed(name):
                yield self._with("body", {name: values[name][0]})

    def _by_parameter(self) -> Iterator[Step]:
        """Each value of each parameter of the query, also with all flags set."""
        flags = {p["name"]: True for p in self._parameters if p["schema"].get("type") == "boolean"}
        for parameter in self._parameters:
            name = parameter["name"]
            for value in self._values(parameter["schema"], name) if parameter["in"] == "query" else ():
                yield self._with("query", {name: value})
                if flags and name not in flags:
                    yield self._with("query", {**flags, name: value})
                if name in ANCHORS:
                    yield self._with("query", {name: value, "limit": 1})
        if {*ANCHORS} <= {each["name"] for each in self._parameters}:
            ids = [{"$": label} for label in self._world.live.get(self._kinds[ANCHORS[0]], ())[-6:]]
            for pair in permutations(ids, 2):
                yield self._with("query", dict(zip(ANCHORS, pair, strict=True)))

    def _with(self, place: str, values: dict[str, Any], role: str | None = "owner") -> Step:
        """Call with these values beside what is required."""
        step = self._plain(role)
        return {**step, place: {**step[place], **values}}

    def _elsewhere(self) -> Iterator[Step]:
        """On other things: each of the last few by each caller, and those that were named together."""
        names = [name for name in self._plain("owner")["path"] if name != "organization_id"]
        kinds = [self._kinds.get(name, "") for name in names]
        for label in self._world.live.get(kinds[0], ())[-6:-1] if kinds else ():
            for role in self._callers:
                yield self._with("path", {names[0]: {"$": label}}, role)
        for pair in self._world.pairs(kinds)[-6:] if len(kinds) > 1 else ():
            yield self._with("path", {name: {"$": label} for name, label in zip(names, pair, strict=True)})

    def _needed(self, name: str) -> dict[str, Any]:
        """Fields that a field of the body needs beside it: of a message, its thread."""
        if self._kinds.get(name) != "message" or not self._world.live.get("message"):
            return {}
        threads = self._world.pairs(["thread", "message"])
        return {"thread_id": {"$": threads[-1][0]}} if threads else {}

    def _plain(self, role: str | None) -> Step:
        """Call with what is required."""
        step = self._calls.bare(self._operation.id, "owner")
        step |= {"role": role, "tick": 1, "walk": self._operation.id.startswith("list")}
        for parameter in self._parameters:
            if parameter["in"] == "path" or parameter.get("required"):
                place = "path" if parameter["in"] == "path" else "query"
                step[place][parameter["name"]] = self._value(parameter["schema"], parameter["name"])
        names = [name for name in step["path"] if name != "organization_id"]
        if len(names) > 1 and self._operation.method != "post":  # things that belong together
            pairs = self._world.pairs([self._kinds.get(name, "") for name in names])
            step["path"] |= {
                n: {"$": label} for n, label in zip(names, pairs[-1] if pairs else (), strict=False)
            }
        if self._is_form:
            step["form"] = ["b.md", "payment tests", "text/markdown"]
        elif self._schema:
            known = self._schema.get("properties", {})
            step["body"] = {name: self._value(known[name], name) for name in self._schema.get("required", ())}
        return step

    def _value(self, schema: Any, name: str) -> Any:
        """Value of a required part: the latest thing, or a typical value."""
        if name in self._kinds:
            kind = self._kinds[name]
            live = ["org:own"] if kind == "org" else self._world.live.get(kind) or [f"{kind}:none"]
            return {"$": live[-1]}
        if name == "files":
            return [{"filename": "b.md", "content": "cGF5bWVudA==", "mime_type": "text/markdown"}]
        if name == "inputs":
            return [{"role": "user", "content": "payment of the launch"}]
        return self._calls.words.value(schema, name, 1)

    def _values(self, schema: Any, name: str) -> list[Any]:  # noqa: C901 - one case a type
        """Values of an optional part: each of an enum, each bound and one beyond, null, of another kind."""
        schema = self._contract.resolved(schema)
        forms = [self._contract.resolved(each) for each in schema.get("anyOf", schema.get("oneOf", [schema]))]
        found: list[Any] = []
        for form in forms:
            kinds = form.get("type", "object")
            for kind in kinds if isinstance(kinds, list) else [kinds]:
                low, high = (
                    form.get("minimum", form.get("minLength", 0)),
                    form.get("maximum", form.get("maxLength", 300)),
                )
                match kind:
                    case _ if "enum" in form:
                        found += [*form["enum"], "other"]
                    case "string" if name in self._kinds:
                        found += [
                            self._value(form, name),
                            *self._ids(name),
                            *(ODD_CURSORS if name == "cursor" else ()),
                        ]
                    case "string" if listed(form.get("pattern", "")):
                        found += [*listed(form["pattern"]), ""]
                    case "string" if form.get("format") == "date-time":
                        found += [{"$": label} for label in self._world.live.get("time", ())[-3:]]
                    case "string":
                        found += [
                            "launch",
                            "Label",
                            "flow_a",
                            "assi_a",
                            *ODD[:2],
                            "%",
                            "_",
                            *("a" * (high + more) for more in (-1, 0, 1)),
                        ]
                        found += [" "] if low else [""]
                    case "integer" | "number":
                        found += [low, high, low - 1, low + 1, high - 1, high + 1, 2, "1.0"]
                    case "boolean":
                        found += [True, False, "yes"]
                    case "array" if name in self._kinds:
                        found += [[self._value({}, name)], [], self._ids(name)]
                    case "object":
                        found += [{"a": "2"}, {}, {f"k{n}": "v" for n in range(17)}]
                    case "null":
                        found.append(None)
        return [value for n, value in enumerate(found) if value not in found[:n]]

    def _others(self, kind: str) -> list[dict[str, str]]:
        """Ids that a call should refuse: unknown, deleted, longer by one character or by many."""
        dead, live = self._world.dead.get(kind, ())[-1:], self._world.live.get(kind, ())[-1:]
        found = [{"$": label} for label in (f"{kind}:none0", *dead)]
        return found + [{"$": label, "+": more} for label in live for more in ("x", "x" * 256)]

    def _ids(self, name: str) -> list[Any]:
        live = self._world.live.get(self._kinds[name], ())
        return [{"$": label} for label in dict.fromkeys((*live[:1], *live[-3:-1]))]
