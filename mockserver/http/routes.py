"""Routing: the operation of a path; an id in it may be any non-empty text without a slash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import punctuation
from urllib.parse import quote

from mockserver.http.problems import NoRoute, Redirect, nearest, wrong_method
from mockserver.openapi.operation import Operation


class _Node:
    """Path segment: its children, and the operations that end here by method."""

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.operations: dict[str, Operation] = {}


class Routes:
    """Tree over the path templates of one document."""

    def __init__(self, operations: Iterable[Operation], *, head: bool = False) -> None:
        """With `head`, HEAD is served wherever GET is."""
        self._root = _Node()
        self._known: list[str] = []
        for operation in operations:
            node = self._root
            for step in operation.template.split("/")[1:]:
                if step.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.fixed.setdefault(step, _Node())
            node.operations[operation.method] = operation
            if head and operation.method == "GET":
                node.operations["HEAD"] = operation
            self._known.append(f"{operation.method} {operation.template}")

    def find(self, method: str, path: str, query: str = "") -> tuple[Operation, Mapping[str, str]]:
        """Operation and path parameters; `path` is percent-decoded."""
        found = _walk(self._root, path.split("/"), 1)
        if found is None:
            other = path[:-1] if path.endswith("/") else path + "/"
            if _walk(self._root, other.split("/"), 1) is not None:
                # A single leading slash: "//evil.example/" would redirect to another host.
                rest = "?" + quote(query, safe=punctuation) if query else ""
                raise Redirect("/" + quote(other.lstrip("/")) + rest)
            hint = nearest(f"{method} {path}"[:200], self._known)
            raise NoRoute("Not Found", reason=f"no operation at {method} {path[:200]}{hint}")
        node, ids = found
        operation = node.operations.get(method)
        if operation is None:
            raise wrong_method(method, node.operations)
        return operation, {p.name: value for p, value in zip(operation.path, ids, strict=True)}

    def at(self, method: str, path: str) -> Operation | None:
        """Operation; None where `find` raises a problem."""
        found = _walk(self._root, path.split("/"), 1)
        return None if found is None else found[0].operations.get(method)

    def template(self, path: str) -> str | None:
        """Path template that serves `path`, with or without a slash at its end; None if none does."""
        for each in (path, path[:-1] if path.endswith("/") else path + "/"):
            if found := _walk(self._root, each.split("/"), 1):
                return next(iter(found[0].operations.values())).template
        return None


def _walk(node: _Node, steps: list[str], begin: int) -> tuple[_Node, list[str]] | None:
    """Node and ids at the end of the segments from `begin`; fixed segments take precedence (OpenAPI)."""
    ids: list[str] = []
    for at in range(begin, len(steps)):
        step = steps[at]
        fixed = node.fixed.get(step)
        if node.any is None:
            if fixed is None:
                return None
            node = fixed
        elif fixed is not None and (found := _walk(fixed, steps, at + 1)):
            return found[0], [*ids, *found[1]]
        elif not step:
            return None
        else:
            ids.append(step)
            node = node.any
    return (node, ids) if node.operations else None
