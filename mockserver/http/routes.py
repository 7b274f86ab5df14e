"""Routing: the operation of a path; an id in it may be any non-empty text without a slash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from string import punctuation
from typing import Any
from urllib.parse import quote

from mockserver.http.problems import NoRoute, NotMocked, Redirect, nearest, wrong_method
from mockserver.openapi.operation import Operation


class _Node:
    """Path segment: its children, and the operations that end here by method."""

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.operations: dict[str, Any] = {}

    def below(self, template: str) -> _Node:
        """Node at the end of a path template, made if it is not there."""
        node = self
        for step in template.split("/")[1:]:
            if step.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.fixed.setdefault(step, _Node())
        return node


class Routes:
    """Tree over the path templates of one document."""

    def __init__(
        self,
        operations: Iterable[Operation],
        *,
        head: bool = False,
        not_mocked: Iterable[tuple[str, str]] = (),
        redirects: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """With `head`, HEAD is served wherever GET is.

        `redirects`: whether a path with a wrong slash at its end is redirected, else it is served.

        `not_mocked`: method and template of each operation that raises NotMocked.
        """
        self._redirects = redirects
        self._root, self._others = _Node(), _Node()
        self._known: list[str] = []
        self._other_words: set[str] = set()
        for operation in operations:
            node = self._root.below(operation.template)
            node.operations[operation.method] = operation
            if head and operation.method == "GET":
                node.operations["HEAD"] = operation
            self._known.append(f"{operation.method} {operation.template}")
        for method, template in not_mocked:
            mocked = _walk(self._root, template.split("/"), 1)
            if mocked and method in mocked[0].operations and len(mocked[1]) == template.count("{"):
                continue
            self._others.below(template).operations[method] = f"{method} {template}"
            self._other_words.update(template.split("/"))

    def find(self, method: str, path: str, query: str = "") -> tuple[Operation, Mapping[str, str]]:
        """Operation and path parameters; `path` is percent-decoded."""
        steps = path.split("/")
        found = _walk(self._root, steps, 1, method) or _walk(self._root, steps, 1)
        if found is None or method not in found[0].operations:
            self._refuse_not_mocked(method, path, None)
        elif not self._other_words.isdisjoint(found[1]):
            self._refuse_not_mocked(method, path, found[1])
        if found is None:
            other = path[:-1] if path.endswith("/") else path + "/"
            if _walk(self._root, other.split("/"), 1) is not None:
                if not self._redirects(path):
                    return self.find(method, other, query)
                # A single leading slash: "//evil.example/" would redirect to another host.
                rest = "?" + quote(query, safe=punctuation) if query else ""
                raise Redirect("/" + quote(other.lstrip("/")) + rest)
            hint = nearest(f"{method} {path}"[:200], self._known)
            raise NoRoute("Not Found", reason=f"no operation at {method} {path[:200]}{hint}")
        node, ids = found
        operation: Operation | None = node.operations.get(method)
        if operation is None:
            raise wrong_method(method, node.operations)
        return operation, {p.name: value for p, value in zip(operation.path, ids, strict=True)}

    def _refuse_not_mocked(self, method: str, path: str, ids: list[str] | None) -> None:
        """Raise NotMocked if another operation fits more exactly than the one with these ids, if any."""
        steps = path.removesuffix("/").split("/")
        found = _walk(self._others, steps, 1) if self._other_words else None
        if found and method in found[0].operations and (ids is None or len(found[1]) < len(ids)):
            raise NotMocked(found[0].operations[method])

    def at(self, method: str, path: str) -> Operation | None:
        """Operation; None where `find` raises a problem."""
        found = _walk(self._root, path.split("/"), 1, method)
        operation: Operation | None = None if found is None else found[0].operations.get(method)
        return operation

    def template(self, path: str) -> str | None:
        """Path template that serves `path`, with or without a slash at its end.

        None if none does, or if an operation that is not mocked fits more exactly.
        """
        for each in (path, path[:-1] if path.endswith("/") else path + "/"):
            steps = each.split("/")
            if found := _walk(self._root, steps, 1):
                other = _walk(self._others, steps, 1)
                if other and len(other[1]) < len(found[1]):
                    return None
                return str(next(iter(found[0].operations.values())).template)
        return None


def _walk(node: _Node, steps: list[str], begin: int, method: str = "") -> tuple[_Node, list[str]] | None:
    """Node and ids at the end of the segments from `begin`; fixed segments take precedence (OpenAPI).

    With a method, only nodes that have it.
    """
    ids: list[str] = []
    for at in range(begin, len(steps)):
        step = steps[at]
        fixed = node.fixed.get(step)
        if node.any is None:
            if fixed is None:
                return None
            node = fixed
        elif fixed is not None and (found := _walk(fixed, steps, at + 1, method)):
            return found[0], [*ids, *found[1]]
        elif not step:
            return None
        else:
            ids.append(step)
            node = node.any
    return (node, ids) if (method in node.operations if method else node.operations) else None
