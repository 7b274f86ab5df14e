"""Collections of a foreign document: pairs `/things`, `/things/{id}` whose schemas make it plain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.foreign.document import ForeignDocument
from mockserver.foreign.merging import Merging, types_of
from mockserver.foreign.operations import ForeignOperation, successes
from mockserver.foreign.schemas import ANSWER, ForeignSchemas
from mockserver.foreign.shapes import listing, mapping

MARK = "x-mock-collection"
"""Keyword of a path item: false for no state, true or an object for state where it is not plain."""
_ON_ROWS = {"GET": "list", "POST": "create"}
_ON_ROW = {"GET": "read", "PUT": "replace", "PATCH": "change", "DELETE": "remove"}


@dataclass(frozen=True, slots=True)
class RowPlan:
    """How the rows of one collection are stored and shown."""

    name: str
    """NAME:/things, with the variables of its parents."""
    parents: tuple[str, ...]
    key: str
    """Variable of the path that is the id of a row."""
    id: str
    """Field of a row that is its id."""
    inside: str
    """Field of an answer that has the row; empty if the answer is the row."""
    rows: str
    """Field of the answer of a list that has the rows; empty if the answer is the list."""
    item: Any
    """Schema of a row."""
    listed: Any
    """Schema of a row in a list."""
    actions: Mapping[str, str]
    """Operation -> what it does."""

    def place(self, ids: Mapping[str, str]) -> str:
        """Name of the collection with the ids of its parents."""
        name = self.name
        for parent in self.parents:
            name = name.replace(f"{{{parent}}}", ids.get(parent, ""))
        return name


class Planner:
    """Finds the collections of a document."""

    def __init__(
        self,
        document: ForeignDocument,
        schemas: ForeignSchemas,
        operations: Mapping[str, ForeignOperation],
    ) -> None:
        self._document, self._schemas = document, schemas
        self._by_path: dict[str, dict[str, ForeignOperation]] = {}
        for operation in operations.values():
            path = operation.template.removeprefix(document.prefix)
            self._by_path.setdefault(path, {})[operation.method] = operation

    def plans(self) -> Iterator[RowPlan]:
        """All collections."""
        for path, on_row in self._by_path.items():
            head, _, last = path.rpartition("/")
            on_rows = self._by_path.get(head)
            if on_rows is not None and last.startswith("{") and "{" not in head.rpartition("/")[2]:
                plan = self._plan(head, last.strip("{}"), on_rows, on_row)
                if plan is not None:
                    yield plan

    def _plan(
        self,
        path: str,
        key: str,
        on_rows: Mapping[str, ForeignOperation],
        on_row: Mapping[str, ForeignOperation],
    ) -> RowPlan | None:
        item = next(iter(on_rows.values())).item
        mark = item.get(MARK)
        if mark is False or (mark is None and not ("POST" in on_rows or "PUT" in on_row)):
            return None
        told = mark if isinstance(mark, dict) else {}
        inside, schema = self._row(on_row.get("GET"), told.get("item"))
        flat = self._flat(schema)
        names = flat.get("properties", {})
        id_ = told.get("id") or _id_field(key, names)
        rows = self._rows(on_rows.get("GET"), id_, told.get("rows"))
        is_plain = "object" in types_of(flat) and bool(names) and id_ in names and rows is not None
        is_scalar = set(types_of(self._inner(schema, names.get(id_)))) <= {"string", "integer"}
        if not mark and not (is_plain and is_scalar and self._takes_rows(on_rows.get("POST"))):
            return None
        parents = tuple(step[1:-1] for step in path.split("/") if step.startswith("{"))
        actions = {each.id: _ON_ROWS[each.method] for each in on_rows.values() if each.method in _ON_ROWS}
        actions |= {each.id: _ON_ROW[each.method] for each in on_row.values() if each.method in _ON_ROW}
        name = f"{self._document.name}:{path}"
        listed = self._listed(on_rows.get("GET"), rows or "") or schema
        return RowPlan(name, parents, key, id_ or "id", inside, rows or "", schema, listed, actions)

    def _listed(self, operation: ForeignOperation | None, rows: str) -> Any:
        """The document's own schema of a row in a list; None without one."""
        schema = self._schema(operation)
        array = self._node(schema, rows) if rows else schema
        return self._document.resolved(array).get("items")

    def _schema(self, operation: ForeignOperation | None) -> Any:
        """JSON schema of the answer of an operation; None without one."""
        for _, key in successes(operation) if operation is not None else ():
            assert operation is not None
            node = self._document.resolved(mapping(operation.node.get("responses")).get(key))
            for media_type, media in mapping(node.get("content")).items():
                if "json" in media_type and isinstance(media, dict) and "schema" in media:
                    return media["schema"]
            return None
        return None

    def _flat(self, schema: Any) -> dict[str, Any]:
        whole = self._schemas.schema(schema, ANSWER)[0]
        return Merging(whole.get("$defs", {})).flat(whole)[0]

    def _inner(self, schema: Any, node: Any) -> dict[str, Any]:
        whole = self._schemas.schema(schema, ANSWER)[0]
        return Merging(whole.get("$defs", {})).flat(node or {})[0]

    def _node(self, schema: Any, name: str) -> Any:
        """The document's own schema of a property."""
        node = self._document.resolved(schema)
        if name in mapping(node.get("properties")):
            return node["properties"][name]
        parts = (self._node(part, name) for part in listing(node.get("allOf")))
        return next((part for part in parts if part is not None), None)

    def _row(self, operation: ForeignOperation | None, told: Any) -> tuple[str, Any]:
        """Field of the answer that has the row, and the row's schema."""
        schema = self._schema(operation)
        if schema is None:
            return "", {}
        for name in [told] if told else ("data", "result", "item"):
            inner = self._node(schema, name)
            if inner is not None and "object" in types_of(self._flat(inner)):
                return name, inner
        return "", schema

    def _rows(self, operation: ForeignOperation | None, id_: str, told: Any) -> str | None:
        """Field of the answer that has the rows; empty if it is the list, None if there is no list."""
        schema = self._schema(operation)
        if schema is None:
            return "" if operation is None else None
        flat = self._flat(schema)
        if types_of(flat) == ["array"]:
            return "" if self._has(schema, flat, id_) else None
        found = []
        for name, node in flat.get("properties", {}).items():
            inner = self._inner(schema, node)
            if types_of(inner) == ["array"] and self._has(schema, inner, id_):
                found.append(name)
        return str(told) if told else found[0] if len(found) == 1 else None

    def _has(self, schema: Any, array: Mapping[str, Any], id_: str) -> bool:
        return id_ in self._inner(schema, array.get("items")).get("properties", {})

    def _takes_rows(self, operation: ForeignOperation | None) -> bool:
        """Whether the body is an object, or there is no operation that takes one."""
        if operation is None:
            return True
        content = mapping(self._document.resolved(operation.node.get("requestBody")).get("content"))
        for media in content.values():
            return "object" in types_of(self._flat(mapping(media).get("schema", {})))
        return False


def _id_field(key: str, names: Collection[str]) -> str:
    """Field that a variable of the path stands for: `id` for petId, `number` for pull_number."""
    plain = key.replace("-", "_")
    fits = [
        each for each in names if plain == each or plain.endswith((f"_{each}", each[:1].upper() + each[1:]))
    ]
    return max(fits, key=len, default="id" if "id" in names else "")
