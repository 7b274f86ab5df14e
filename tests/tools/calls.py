"""Calls of every operation by the examples of openapi.yaml, as data that a client of any language sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import requests

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
    answer_schema: str
    """Name of the schema of an answer of JSON; empty for others."""

    @property
    def body_schema(self) -> str:
        """Name that generators give to the schema of the body; empty for none and for a form."""
        name = self.body.get("schema", {}).get("$ref", "").rpartition("/")[2]
        return name or (f"{self.id[0].upper()}{self.id[1:]}Request" if self.example else "")

    @property
    def example(self) -> Any:
        """First example of the body; None without a body of JSON."""
        return next((each["value"] for each in self.body.get("examples", {}).values()), None)


def operations(document: Any) -> dict[str, Operation]:
    """Operations of a document by id."""

    def resolved(node: Any) -> Any:
        while "$ref" in node:
            section, name = node["$ref"].split("/")[2:]
            node = document["components"][section][name]
        return node

    found = {}
    for path, item in document["paths"].items():
        for method, node in item.items():
            parameters = {each["name"]: each for each in map(resolved, node.get("parameters", ()))}
            content = resolved(node.get("requestBody", {})).get("content", {})
            body: dict[str, Any] = next(iter(content.values()), {})
            success = resolved(next(each for code, each in node["responses"].items() if code < "300"))
            answer = success.get("content", {}).get("application/json", {}).get("schema", {})
            name = answer.get("$ref", "").rpartition("/")[2]
            id_ = node["operationId"]
            found[id_] = Operation(id_, method.upper(), path, node["tags"][0], parameters, body, name)
    return found


@contextmanager
def served(revision: str, folder: Path, *flags: str) -> Iterator[tuple[str, Path]]:
    """URL of a mock, and the file of the document that it serves."""
    with mock("--freeze", FROZEN, "--revision", revision, *flags) as url:
        if revision == "2026-02" and not flags:
            yield url, ROOT / "openapi.yaml"
        else:
            file = folder / "openapi.json"
            file.write_bytes(requests.get(f"{url}/__admin/specs/openapi.json", timeout=60).content)
            yield url, file


@contextmanager
def prepared(url: str) -> Iterator[list[dict[str, Any]]]:
    """One call of each operation, in a sandbox of its own where it succeeds."""
    document = requests.get(f"{url}/__admin/specs/openapi.json", timeout=60).json()
    with ExitStack() as stack:
        yield [_call(url, operation, stack) for operation in operations(document).values()]


def _call(url: str, operation: Operation, stack: ExitStack) -> dict[str, Any]:
    made = _arranged(url, operation, stack)
    parameters, body = operation.parameters, operation.example
    values = {name: each["example"] for name, each in parameters.items() if each.get("required")}
    values |= {name: value for name, value in made.items() if name in parameters}
    return {
        "name": operation.id,
        "operation": operation.id,
        "tag": operation.tag,
        "sandbox": operation.id,
        "values": values,
        "body": body and {name: made.get(name, value) for name, value in body.items()},
        "body_schema": operation.body_schema,
        "file": None if body or not operation.body else FILE[1].decode(),
        "has_query": any(each["in"] == "query" for each in parameters.values()),
        "made": {EXAMPLES[name]: str(value) for name, value in made.items()},
        "answer_schema": operation.answer_schema,
        "method": operation.method,
        "path": operation.path,
    }


def with_refusal(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Calls, and one that is refused, which shows that a walk notices."""
    one = next(call for call in calls if call["operation"] == "getSpace")
    return [*calls, {**one, "name": REFUSED, "values": {**one["values"], "space_id": "space_none"}}]


def answered(url: str, call: Mapping[str, Any]) -> Any:
    """Answer of JSON to a call."""
    ids = call["values"]
    path = re.sub(r"{(\w+)}", lambda match: ids[match[1]], call["path"])
    query = {name: value for name, value in ids.items() if f"{{{name}}}" not in call["path"]}
    sent = {"files": {"files": FILE}} if call["file"] else {"json": call["body"]}
    return ask(url, call["method"], path, call["sandbox"], params=query, **sent).json()


def ask(url: str, method: str, path: str, sandbox: str, **sent: Any) -> requests.Response:
    """Answer to a request in a sandbox, which must succeed."""
    headers = {**HEADERS, "X-Mock-Sandbox": sandbox}
    answer = requests.request(method, url + path, headers=headers, timeout=60, **sent)
    answer.raise_for_status()
    return answer


def _arranged(url: str, operation: Operation, stack: ExitStack) -> dict[str, Any]:
    """Values of parameters that are known only after what the demo lacks is made, such as a file."""
    name = operation.id
    if name in ("removeThreadFromSpace", "removeVectorStoreFromSpace"):
        ids = {"space_id": "space_abc123", "thread_id": "thrd_def456", "vector_store_id": "vs_def456"}
        path = re.sub(r"{(\w+)}", lambda match: ids[match[1]], operation.path)
        ask(url, "POST", path, name, params={"organization_id": "org_abc123"})
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
