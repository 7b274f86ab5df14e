"""Collections of openapi.yaml: a list, a create and an update; the names are read from the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contracts.checks.check import equal
from contracts.checks.spec import DocumentedOperation, document
from contracts.http.exchange import ClientResponse
from contracts.http.run import Run

SIZES = ("limit", "take", "page_size")


class DocumentedCollection(NamedTuple):
    """Operations on the things of one path."""

    read_list: DocumentedOperation
    create: DocumentedOperation
    update: DocumentedOperation

    def path(self, run: Run, id_: str = "") -> str:
        """Path of the collection, or of one thing in it."""
        template = (self.update if id_ else self.create).path
        return template.replace("{organization_id}", run.organization_id).replace("{" + self.name + "}", id_)

    @property
    def name(self) -> str:
        """Name of the parameter with a thing's id."""
        return self.update.path.rpartition("{")[2].rstrip("}")

    @property
    def shown(self) -> Mapping[str, Any]:
        """Fields of an answer to the update."""
        return _properties(_media(document().response(self.update, 200)))

    def sent(self, operation: DocumentedOperation) -> dict[str, Any]:
        """Fields of a request that the answers show."""
        body = _properties(_media(document().resolved(operation.raw["requestBody"])))
        return {
            name: schema for name, schema in body.items() if name in self.shown and name != "organization_id"
        }

    @property
    def required(self) -> list[str]:
        """Fields that a create needs, beside the organization."""
        body = document().resolved(_media(document().resolved(self.create.raw["requestBody"])))
        return [name for name in body["required"] if name != "organization_id"]

    @property
    def parameters(self) -> set[str]:
        """Parameters of the list."""
        return {each["name"] for each in document().parameters(self.read_list) if each["in"] == "query"}

    def listed(self, run: Run, **query: Any) -> list[dict[str, Any]]:
        """Items of one page, the longest."""
        size = {name: 100 for name in SIZES if name in self.parameters}
        addressed = {"organization_id": run.organization_id} if "organization_id" in self.parameters else {}
        answer = run.owner.get(self.path(run), **{**addressed, **size, **query})
        equal(answer.status, 200, f"the status of {self.read_list.id} with {query}")
        return items_of(answer)


def collections() -> list[DocumentedCollection]:
    """All collections of the document."""
    known = {(each.method, each.path.rstrip("/")): each for each in document().operations.values()}
    found = []
    for (method, path), update in known.items():
        parent = path.rpartition("/")[0]
        listing, create = known.get(("get", parent)), known.get(("post", parent))
        if method == "patch" and listing and create:
            found.append(DocumentedCollection(listing, create, update))
    return found


def _media(node: Any) -> Any:
    return node.get("content", {}).get("application/json", {}).get("schema", {})


def _properties(schema: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document().resolved(schema).get("properties", {})
    return _properties(found["data"]) if "data" in found else found


def thing_of(answer: ClientResponse) -> Mapping[str, Any]:
    """The thing that an answer shows."""
    data = answer.fields.get("data")
    return data if isinstance(data, dict) else answer.fields


def items_of(answer: ClientResponse) -> list[dict[str, Any]]:
    """Items of a list's answer, under whatever name."""
    lists = [value for value in answer.fields.values() if isinstance(value, list)]
    return [item for item in (lists or [[]])[0] if isinstance(item, dict)]


def values(schema: Any, name: str, run: Run) -> Iterator[Any]:
    """Values of a field that a server has to keep: each of an enum, both flags, an empty list, null."""
    for form in forms(schema):
        kind = form.get("type")
        if "enum" in form:
            yield from form["enum"]
        elif kind == "string":
            yield from (run.name(name), f"{run.name(name)} Ähnlich 日本")
        elif kind == "boolean":
            yield from (False, True)
        elif kind == "array":
            yield from ([run.owner.user_id], []) if name.endswith("_users") else ([],)
        elif kind == "object":
            yield {"a": "1"}
        elif kind == "null":
            yield None


def forms(schema: Any) -> list[Any]:
    """Alternatives of a schema, each of one type."""
    schema = document().resolved(schema)
    inner = schema.get("anyOf", schema.get("oneOf"))
    if inner:
        return [form for each in inner for form in forms(each)]
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else [schema]


def pointer(answer: ClientResponse, name: str) -> str:
    """JSON pointer to a field of the thing that an answer shows."""
    return f"/data/{name}" if isinstance(answer.fields.get("data"), dict) else f"/{name}"


def create(run: Run, of: DocumentedCollection, fields: Mapping[str, Any]) -> ClientResponse | None:
    """Answer to a create; None if it is refused, which is another check's business."""
    known = _properties(_media(document().resolved(of.create.raw["requestBody"])))
    usual = {"organization_id": run.organization_id, "title": run.name("thread")}
    body = {**{name: value for name, value in usual.items() if name in known}, **fields}
    answer = run.owner.ask("POST", of.path(run), body)
    return answer if answer.status < 300 else None
