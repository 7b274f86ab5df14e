"""Documents that are wrong somewhere: one line, or served as far as they are understood."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.openapi.yaml_document import DocumentError
from tests.foreign.beside import client
from tests.running import ROOT

REFS: tuple[Any, ...] = ("#", "#/info", "#/components/schemas/Nope", 7, [])
VALUES: tuple[Any, ...] = (
    *(None, 7, -1.5, "", "x", [], {}, True, [None], ["a", "a"], "é\n"),
    *({"$ref": ref} for ref in REFS),
    *({"type": kind} for kind in ("array", ["string", "null", 7])),
)


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every object or list with each of its keys."""
    for key, value in [*(node.items() if isinstance(node, dict) else enumerate(node))]:
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_document_is_refused_in_one_line_or_served(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    document = yaml.safe_load((ROOT / "examples/todo/todo.yaml").read_text("utf-8"))
    for _ in range(chosen.randint(1, 5)):
        node, key = chosen.choice([*places(document)])
        node[key] = json.loads(json.dumps(chosen.choice(VALUES)))
    try:
        asked = client(tmp_path, json.dumps(document), "/todo")
    except DocumentError:
        return
    app: Any = asked.application
    for operation in app.foreign[0].operations.values():
        path = re.sub(r"{[^/]*}", "7", operation.template)
        for sent in ({}, {"json": {"title": "a"}}, {"data": {"title": "a"}}):
            asked.open(f"{path}?done=x", method=operation.method, **sent)  # type: ignore[arg-type]
