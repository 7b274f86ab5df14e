"""A path leads to the operation that OpenAPI says it means."""

from __future__ import annotations

import pytest

from mockserver.http.problems import NoRoute
from mockserver.http.routes import Routes
from mockserver.openapi.operation import Operation, Parameter
from mockserver.openapi.schemas import Schema

TEXT = Schema({"type": "string"}, {})


def operation(template: str, *names: str) -> Operation:
    """GET on `template`, with these parameters in its path."""
    path = tuple(Parameter(name, "path", "string", True, None, TEXT) for name in names)
    return Operation(template, "GET", template, path, {}, None, {})


ROUTES = Routes(
    [
        operation("/a/fixed"),
        operation("/a/fixed/end"),
        operation("/a/{x}", "x"),
        operation("/a/{x}/{y}/c", "x", "y"),
        operation("/a/{other}/b", "other"),
    ]
)


@pytest.mark.parametrize(
    ("path", "template", "ids"),
    [
        ("/a/fixed", "/a/fixed", {}),
        ("/a/1", "/a/{x}", {"x": "1"}),
        ("/a/{x}", "/a/{x}", {"x": "{x}"}),
        ("/a/1/b", "/a/{other}/b", {"other": "1"}),
        ("/a/fixed/b", "/a/{other}/b", {"other": "fixed"}),
        ("/a/fixed/end/c", "/a/{x}/{y}/c", {"x": "fixed", "y": "end"}),
        ("/a/1/b/c", "/a/{x}/{y}/c", {"x": "1", "y": "b"}),
    ],
)
def test_a_fixed_step_is_preferred_to_an_id(path: str, template: str, ids: dict[str, str]) -> None:
    found, values = ROUTES.find("GET", path)
    assert (found.template, values) == (template, ids)


@pytest.mark.parametrize("path", ["/a//b", "/a/1//", "/a/fixed/end/d", "/a" + "/x" * 100_000, "a", "*", ""])
def test_an_id_is_never_empty_and_a_path_never_too_long(path: str) -> None:
    with pytest.raises(NoRoute):
        ROUTES.find("GET", path)
