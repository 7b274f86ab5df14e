"""Calls of every operation by the examples of openapi.yaml, as data that a client of any language sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, NamedTuple

import requests
import yaml

from tests.running import FROZEN, ROOT, mock

HEADERS = {"X-API-Key": "ak_demo_owner"}
STALL = {"kind": "silence", "after_events": 3, "seconds": 60}
QUESTION = {"inputs": [{"role": "user", "content": "Where is the booth?"}], "thread_id": "thrd_def456"}
FILE = ("handbook.md", b"The warranty is three years.", "text/markdown")
REFUSED = "refused"
FILES = "/v1/organizations/org_abc123/files"
IN_STORE = "/v1/organizations/org_abc123/vector-stores/vs_def456/files"

EXAMPLES = {"file_id": "file_abc123", "token": "0a1b", "expires": "1772103600"}
"""Examples of openapi.yaml that the demo does not have."""


class Operation(NamedTuple):
    """Operation of the document, with its references resolved."""

    id: str
    method: str
    path: str
    tag: str
    parameters: Mapping[str, Mapping[str, Any]]
    body: Mapping[str, Any]
    """Media type object, or empty."""

    @property
    def body_schema(self) -> str:
        """Name that generators give to the schema of the body; empty for none and for a form."""
        name = self.body.get("schema", {}).get("$ref", "").rpartition("/")[2]
        return name or (f"{self.id[0].upper()}{self.id[1:]}Request" if self.example else "")

    @property
    def example(self) -> Any:
        """First example of the body; None without a body of JSON."""
        return next((each["value"] for each in self.body.get("examples", {}).values()), None)


@cache
def operations() -> dict[str, Operation]:
    """Operations of openapi.yaml by id."""
    whole = yaml.load((ROOT / "openapi.yaml").read_bytes(), yaml.CSafeLoader)

    def resolved(node: Any) -> Any:
        while "$ref" in node:
            section, name = node["$ref"].split("/")[2:]
            node = whole["components"][section][name]
        return node

    found = {}
    for path, item in whole["paths"].items():
        for method, node in item.items():
            parameters = {each["name"]: each for each in map(resolved, node.get("parameters", ()))}
            content = resolved(node.get("requestBody", {})).get("content", {})
            body = next(iter(content.values()), {})
            id_ = node["operationId"]
            found[id_] = Operation(id_, method.upper(), path, node["tags"][0], parameters, body)
    return found


@contextmanager
def prepared() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """URL of a mock, and one call of each operation, in a sandbox of its own where it succeeds."""
    with ExitStack() as stack, mock("--freeze", FROZEN) as url:
        calls = []
        for operation in operations().values():
            values = {
                name: each["example"] for name, each in operation.parameters.items() if each.get("required")
            }
            made: dict[str, Any] = _arranged(url, operation, stack)
            values |= {name: value for name, value in made.items() if name in operation.parameters}
            body = operation.example
            calls.append(
                {
                    "name": operation.id,
                    "operation": operation.id,
                    "tag": operation.tag,
                    "sandbox": operation.id,
                    "values": values,
                    "body": body and {name: made.get(name, value) for name, value in body.items()},
                    "body_schema": operation.body_schema,
                    "file": None if body or not operation.body else FILE[1].decode(),
                    "has_query": any(each["in"] == "query" for each in operation.parameters.values()),
                    "made": {EXAMPLES[name]: str(value) for name, value in made.items()},
                    "method": operation.method,
                    "path": operation.path,
                }
            )
        yield url, calls


def with_refusal(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Calls, and one that is refused, which shows that a walk notices."""
    one = next(call for call in calls if call["operation"] == "getSpace")
    return [*calls, {**one, "name": REFUSED, "values": {"space_id": "space_none"}}]


def ask(url: str, method: str, path: str, sandbox: str, **body: Any) -> requests.Response:
    """Answer to a request in a sandbox, which must succeed."""
    headers = {**HEADERS, "X-Mock-Sandbox": sandbox}
    answer = requests.request(method, url + path, headers=headers, timeout=60, **body)
    answer.raise_for_status()
    return answer


def _arranged(url: str, operation: Operation, stack: ExitStack) -> dict[str, Any]:
    """Values of parameters that are known only after what the demo lacks is made: a file, a stream, a link."""
    name = operation.id
    if name in ("removeThreadFromSpace", "removeVectorStoreFromSpace"):
        ids = {"space_id": "space_abc123", "thread_id": "thrd_def456", "vector_store_id": "vs_def456"}
        ask(url, "POST", re.sub(r"{(\w+)}", lambda match: ids[match[1]], operation.path), name)
    if name == "cancelStream":
        ask(url, "POST", "/__admin/replies", name, json={"text": "One two", "fault": STALL})
        sent = {**QUESTION, "stream": True}
        stack.enter_context(ask(url, "POST", "/v1/model/response", name, json=sent, stream=True))
    if "file_id" not in operation.parameters and name != "addFileToVectorStore":
        return {}
    file = ask(url, "POST", f"{FILES}/upload", name, files={"files": FILE}).json()["files"][0]["id"]
    if "vector_store_id" in operation.parameters and name != "addFileToVectorStore":
        ask(url, "POST", IN_STORE, name, json={"file_id": file})
    if name != "downloadFile":
        return {"file_id": file}
    link = ask(url, "GET", f"{FILES}/{file}/content", name).json()["download_url"]
    token, expires = re.findall(r"(?:token|expires)=(\w+)", link)
    return {"file_id": file, "token": token, "expires": int(expires)}
