"""Generic state: rows of the collections of a foreign document, without rules and rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from mockserver.foreign.answers import Answers, ForeignReply, Ungenerated
from mockserver.foreign.generator import Generator, Unable, generate
from mockserver.foreign.merging import Merging, types_of
from mockserver.foreign.operations import ForeignOperation, successes
from mockserver.foreign.paging import page_of
from mockserver.foreign.plans import RowPlan
from mockserver.foreign.schemas import ANSWER, ForeignSchemas
from mockserver.http.calls import Call, Reply
from mockserver.http.problems import Conflict, NotFound
from mockserver.openapi.schemas import Schema

REASON = "generic state: stored as it came, without rules and rights"
_PREFERRED = {"create": 201, "remove": 204}
_CHANGED = ("updated", "modified", "changed")
Row = Mapping[str, Any]


class GenericState:
    """Handlers of the collections of one document."""

    def __init__(self, plans: list[RowPlan], schemas: ForeignSchemas, answers: Answers) -> None:
        self.plans, self._schemas, self._answers = plans, schemas, answers

    def handlers(
        self, operations: Mapping[str, ForeignOperation]
    ) -> Iterator[tuple[str, Callable[[Call[Any], Any], Reply]]]:
        """Handlers by operation."""
        for plan in self.plans:
            for id_, action in plan.actions.items():
                yield id_, partial(getattr(self, f"_{action}"), plan, operations[id_])

    # Actions

    def _list(self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any) -> Reply:
        table, place = sandbox.foreign_rows, plan.place(call.path)
        rows = [record["value"] for record in table.records(table.ids("collection", place))]
        flat = self._flat(plan.item)[0]
        page = page_of(rows, call.query, set(flat.get("properties", {})))
        compiled, place = self._flat(plan.listed)[2], f"{sandbox.ids.seed}\0{place}"
        shown = [
            row if compiled.is_valid(row) else self.fitted(plan.listed, row, f"{place}\0{row[plan.id]}")
            for row in page.rows
        ]
        if not plan.rows:
            return self._shown(plan, operation, call, sandbox, shown)
        whole = self._answer_schema(operation)
        names = {} if whole is None else self._flat(whole)[0].get("properties", {})
        more = {name: page.facts[name] for name in names if name in page.facts}
        return self._shown(plan, operation, call, sandbox, {plan.rows: shown, **more})

    def _create(self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any) -> Reply:
        sent, place = self._sent(plan, call), plan.place(call.path)
        row = {**self._stamped(plan, sandbox, {}), **sent}
        if row.get(plan.id) is None:
            row[plan.id] = self._new_id(plan, place, sandbox)
        elif (place, str(row[plan.id])) in sandbox.foreign_rows:
            raise Conflict("Row exists", reason=f"{place} has a row {str(row[plan.id])[:80]!r} already")
        return self._put(plan, operation, call, sandbox, self._fitted(plan, row, call, sandbox))

    def _read(self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any) -> Reply:
        return self._shown(plan, operation, call, sandbox, self._inside(plan, self._row(plan, call, sandbox)))

    def _replace(self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any) -> Reply:
        id_ = call.path[plan.key]
        is_new = (plan.place(call.path), id_) not in sandbox.foreign_rows
        if is_new and ("create" not in plan.actions.values() or 201 in dict(successes(operation))):
            old: Row = {plan.id: self._meant(plan, id_)}
        else:
            old = self._row(plan, call, sandbox)
        properties = self._flat(plan.item)[0].get("properties", {})
        kept = {n: v for n, v in old.items() if n == plan.id or self._is_read_only(plan, properties.get(n))}
        row = {**kept, **self._stamped(plan, sandbox, old), **self._sent(plan, call), plan.id: old[plan.id]}
        return self._put(plan, operation, call, sandbox, self._fitted(plan, row, call, sandbox))

    def _change(self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any) -> Reply:
        old = self._row(plan, call, sandbox)
        changed = self._stamped(plan, sandbox, old)
        row = {**old, **changed, **self._sent(plan, call), plan.id: old[plan.id]}
        return self._put(plan, operation, call, sandbox, self._fitted(plan, row, call, sandbox))

    def _remove(self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any) -> Reply:
        row = self._row(plan, call, sandbox)
        sandbox.foreign_rows.remove((plan.place(call.path), call.path[plan.key]))
        return self._shown(plan, operation, call, sandbox, self._inside(plan, row))

    # Rows

    def _row(self, plan: RowPlan, call: Call[Any], sandbox: Any) -> Row:
        place, id_ = plan.place(call.path), call.path[plan.key]
        record = sandbox.foreign_rows.get((place, id_))
        if record is None:
            raise NotFound("Row not found", reason=f"{place} has no row {id_[:80]!r}")
        value: Row = record["value"]
        return value

    def _put(
        self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any, row: Row
    ) -> Reply:
        place, id_ = plan.place(call.path), str(row[plan.id])
        sandbox.foreign_rows.put((place, id_), {"collection": place, "id": id_, "value": row})
        return self._shown(plan, operation, call, sandbox, self._inside(plan, row))

    @staticmethod
    def _inside(plan: RowPlan, row: Row) -> Any:
        return {plan.inside: row} if plan.inside else row

    @staticmethod
    def _sent(plan: RowPlan, call: Call[Any]) -> dict[str, Any]:
        """Fields of the body, without what surrounds them."""
        body = call.body if isinstance(call.body, dict) else {}
        inner = body.get(plan.inside) if plan.inside else None
        return dict(inner if isinstance(inner, dict) and len(body) == 1 else body)

    def _flat(self, node: Any) -> tuple[dict[str, Any], Merging, Schema, Mapping[str, Any]]:
        whole, compiled = self._schemas.schema(node, ANSWER)
        merging = Merging(whole.get("$defs", {}))
        return merging.flat(whole)[0], merging, compiled, whole

    def _is_read_only(self, plan: RowPlan, node: Any) -> bool:
        return bool(self._flat(plan.item)[1].flat(node or {})[0].get("readOnly"))

    def _stamped(self, plan: RowPlan, sandbox: Any, old: Row) -> dict[str, Any]:
        """Fields whose names and format say that they are the instant of a change."""
        flat, merging, *_ = self._flat(plan.item)
        names = _CHANGED if old else (*_CHANGED, "created")
        return {
            name: sandbox.now()
            for name, node in flat.get("properties", {}).items()
            if name.lower().startswith(names) and merging.flat(node)[0].get("format") == "date-time"
        }

    def _meant(self, plan: RowPlan, text: str) -> Any:
        """Id of a path as its schema has it."""
        flat, merging, *_ = self._flat(plan.item)
        node = merging.flat(flat.get("properties", {}).get(plan.id, {}))[0]
        return int(text) if "integer" in types_of(node) and text.isdecimal() and len(text) < 16 else text

    def _new_id(self, plan: RowPlan, place: str, sandbox: Any) -> Any:
        """Id that no row has: the next number, or a text as its schema wants it."""
        flat, merging, *_ = self._flat(plan.item)
        node = merging.flat(flat.get("properties", {}).get(plan.id, {}))[0]
        plain = {key: value for key, value in node.items() if key not in ("example", "examples")}
        while True:
            ordinal = sandbox.ids.take(f"foreign {place}")
            id_: Any = ordinal
            if "integer" not in types_of(plain):
                at = f"{sandbox.ids.seed}\0{place}\0{ordinal}"
                id_ = Generator({"$defs": {}}, at, 0).value(plain, "/id", "id", ())
            if (place, str(id_)) not in sandbox.foreign_rows:
                return id_

    def _fitted(self, plan: RowPlan, row: Row, call: Call[Any], sandbox: Any) -> dict[str, Any]:
        """Row with the required fields that it lacks, as its schema has them."""
        place = f"{sandbox.ids.seed}\0{plan.place(call.path)}\0{row[plan.id]}"
        return self.fitted(plan.item, row, place)

    def fitted(self, node: Any, value: Row, place: str) -> dict[str, Any]:
        """Value with the required fields that it lacks, without what its schema does not allow."""
        flat, merging, compiled, whole = self._flat(node)
        properties = flat.get("properties", {})
        made = dict(value)
        if flat.get("additionalProperties") is False:
            made = {name: each for name, each in made.items() if name in properties}
        made = {n: v for n, v in made.items() if not merging.flat(properties.get(n, {}))[0].get("writeOnly")}
        for name, inner in properties.items():
            plain = merging.flat(inner)[0]
            if name in made:
                continue
            if "default" in plain:
                made[name] = plain["default"]
            elif name in flat.get("required", ()):
                made[name] = self._field(inner, plain, whole, f"{place}\0{name}", name)
        if compiled.is_valid(made):
            return made
        wrong = {str(path[0]) for path in compiled.places(made) if path}
        made = {name: each for name, each in made.items() if name not in wrong}
        for name in wrong.intersection(flat.get("required", ())):
            inner = properties.get(name, {})
            made[name] = self._field(inner, merging.flat(inner)[0], whole, f"{place}\0{name}", name)
        return made

    @staticmethod
    def _field(node: Any, plain: Row, whole: Mapping[str, Any], place: str, name: str) -> Any:
        if "null" in types_of(plain) and None in plain.get("enum", (None,)):
            return None
        if types_of(plain) == ["boolean"]:
            return False
        if types_of(plain) == ["array"] and not plain.get("minItems"):
            return []
        try:
            return Generator(whole, place, 3).value(node, "", name, ())
        except Unable:
            return None

    # Answers

    def _answer_schema(self, operation: ForeignOperation) -> Any:
        media = self._answers.media(operation, *next(successes(operation)))
        return None if media is None else media.get("schema", {})

    def _shown(
        self, plan: RowPlan, operation: ForeignOperation, call: Call[Any], sandbox: Any, value: Any
    ) -> Reply:
        """Answer with the value; one that the document does not allow is completed."""
        statuses = dict(successes(operation))
        wanted = _PREFERRED.get(plan.actions[operation.id], 0)
        status = wanted if wanted in statuses else next(iter(statuses))
        media = self._answers.media(operation, status, statuses[status])
        if media is None:
            return ForeignReply(status, None, {}, "", "", "state", REASON)
        schema = media.get("schema", {})
        whole, compiled = self._schemas.schema(schema, ANSWER)
        place = "\0".join((str(sandbox.ids.seed), operation.id, *call.path.values()))
        if not compiled.is_valid(value) and isinstance(value, dict):
            value = self.fitted(schema, value, place)
        media_type = str(media["type"])
        if compiled.is_valid(value):
            return ForeignReply(status, value, {}, "", media_type, "state", REASON)
        pointer, message = compiled.first_error(value)
        reason = f"{operation.id}: the stored row is not valid here: {pointer}: {message}"
        try:
            value = generate(whole, compiled.is_valid, place)
        except Unable as error:
            raise Ungenerated("Not generated", reason=reason) from error
        return ForeignReply(status, value, {}, "", media_type, "generated", reason)

    def initial_rows(
        self, plan: RowPlan, operations: Mapping[str, ForeignOperation]
    ) -> list[tuple[str, Row]]:
        """Rows of the examples of the document, with their ids; only of a collection without parents."""
        found: dict[str, Row] = {}
        for id_, action in plan.actions.items():
            if plan.parents or action not in ("list", "read"):
                continue
            media = self._answers.media(operations[id_], *next(successes(operations[id_])))
            for _, value in self._answers.examples(media or {}):
                field = plan.rows if action == "list" else plan.inside
                inner = value.get(field) if field and isinstance(value, dict) else value
                for row in inner if isinstance(inner, list) else [inner]:
                    if isinstance(row, dict) and plan.id in row:
                        found.setdefault(str(row[plan.id]), row)
        return list(found.items())
