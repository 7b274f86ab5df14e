"""What an operation says about itself beyond OpenAPI: it is about no sandbox, takes more, is to be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from mockserver.http.calls import Reply
from tests.engine.small import SmallSandbox, SmallSandboxes, served

OBJECT = {"application/json": {"schema": {"type": "object"}}}
ANSWERS = {status: {"description": "It.", "content": OBJECT} for status in ("200", "413")}


def client(folder: Path, **operation: Any) -> Client:
    """Of an operation that takes and gives any object."""
    body = {"content": OBJECT}
    return served(folder, lambda *_: Reply(200, {"a": 1}), requestBody=body, responses=ANSWERS, **operation)[
        0
    ]


def test_an_operation_about_no_sandbox_enters_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str | None] = []

    def find(sandboxes: SmallSandboxes, name: str | None) -> SmallSandbox:
        found.append(name)
        return sandboxes.outside

    monkeypatch.setattr(SmallSandboxes, "find", find)
    for extra in ({"x-sandbox": "none"}, {}):
        answer = client(tmp_path, **extra).get("/things/1", headers={"X-Mock-Sandbox": "a"})
        assert answer.status_code == 200
    assert found == ["a"]


def test_an_operation_may_take_a_larger_body_than_the_others(tmp_path: Path) -> None:
    large = client(tmp_path, **{"x-max-body-bytes": 2000})
    taken, refused = (large.get("/things/1", json={"x": "x" * size}) for size in (1500, 2500))
    assert (taken.status_code, refused.status_code) == (200, 413)
    assert refused.headers["X-Mock-Reason"] == "the body is over 2000 bytes, the limit of this operation"
    refused = client(tmp_path).get("/things/1", json={"x": "x" * 1500})
    assert (refused.status_code, "--max-body-bytes" in refused.headers["X-Mock-Reason"]) == (413, True)


def test_an_answer_may_be_indented(tmp_path: Path) -> None:
    assert client(tmp_path, **{"x-indented": True}).get("/things/1").data == b'{\n  "a": 1\n}\n'
