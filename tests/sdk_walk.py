"""Walk through every mocked operation that a library of the vendor has: python sdk_walk.py URL OPERATIONS.

It imports the library and the standard library alone, so that it runs in the environment of any generation.
OPERATIONS is a file with `{operationId: [method, path]}`; the answer is one line of JSON.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
import typing
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILE = ("walk.txt", b"Pieces of a walk.", "text/plain")
NO_JSON = ("reconnectStream", "downloadFile")
"""Operations that are answered by a stream and by a file."""
KEY, ORGANIZATION = "ak_demo_owner", "org_abc123"
STALL = {"kind": "silence", "after_events": 3, "seconds": 60}
QUESTION = {"inputs": [{"role": "user", "content": "Where is the booth?"}]}


def shape(method: str, path: str) -> tuple[str, str]:
    """Method and path, whatever the parameters are called."""
    return method.upper(), re.sub(r"\{[^}]*\}", "{}", "/" + path.lstrip("/"))


def asked(url: str, method: str, path: str, **fields: Any) -> Any:
    """Answer to a request without any library."""
    if method in ("GET", "DELETE"):
        path, data = f"{path}?{urllib.parse.urlencode(fields)}", None
    else:
        data = json.dumps(fields).encode()
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url + path, data, headers, method=method)) as answer:
        text = answer.read()
        is_json = "json" in answer.headers.get("Content-Type", "")
    return json.loads(text) if is_json else None


Called = Callable[..., Any]
"""Calls a method with the ids of the path and the fields, and returns plain values."""


def in_sdk(url: str, wanted: set[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], Called]]:
    """Methods of aitronos-sdk, by method and path; only their own modules are imported."""
    import aitronos

    client = aitronos.Aitronos(base_url=url, api_key=KEY)
    for file in Path(aitronos.__path__[0]).glob("*/raw_client.py"):
        text = file.read_text("utf-8").partition("class AsyncRaw")[0]
        for name, body in re.findall(r"    def (\w+)\((.*?)(?=\n    def |\Z)", text, re.DOTALL):
            called = re.search(r'request\(\s*f?"([^"]+)",\s*method="(\w+)"', body)
            if called is not None and (found := shape(called[2], called[1])) in wanted:
                yield found, _sdk_call(getattr(getattr(client, file.parent.name), name))


def _sdk_call(method: Any) -> Called:
    known = inspect.signature(method).parameters

    def call(*ids: str, **fields: Any) -> Any:
        fields = {"organization_id": ORGANIZATION, **fields}
        taken = list(known)[: len(ids)]
        answer = method(
            *ids, **{name: v for name, v in fields.items() if name in known and name not in taken}
        )
        return answer.model_dump() if hasattr(answer, "model_dump") else answer

    return call


def in_client(url: str, wanted: set[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], Called]]:
    """Functions of freddy-backend-client, by method and path; only their own modules are imported."""
    import freddy_client
    from freddy_client import api

    client = freddy_client.AuthenticatedClient(url, token=KEY, raise_on_unexpected_status=True)
    for file in Path(api.__path__[0]).glob("*/*.py"):
        called = re.search(r'"method": "(\w+)",\s*"url": "([^"]+)"', file.read_text("utf-8"))
        if called is not None and (found := shape(called[1], called[2])) in wanted:
            module = importlib.import_module(f"freddy_client.api.{file.parent.name}.{file.stem}")
            yield found, _client_call(module, client)


def _client_call(module: Any, client: Any) -> Called:
    hints = typing.get_type_hints(module.sync_detailed)

    def call(*ids: str, **fields: Any) -> Any:
        body = {}
        if "body" in hints:
            models = typing.get_args(hints["body"]) or (hints["body"],)
            body = {"body": next(model for model in models if hasattr(model, "from_dict")).from_dict(fields)}
        query = {name: value for name, value in fields.items() if name in hints}
        answer = module.sync_detailed(*ids, client=client, **body, **query)
        if answer.status_code >= 300:
            raise RuntimeError(f"{answer.status_code} {answer.content!r}")
        return answer.parsed.to_dict() if hasattr(answer.parsed, "to_dict") else answer.parsed

    return call


class Walk:
    """Calls operations by the library if it has them, else without it."""

    def __init__(self, url: str, operations: dict[str, tuple[str, str]], control: str = "") -> None:
        """`control`: URL of the mock's control API, if another server answers the calls."""
        self.url, self.operations, self.control = url, operations, control or url
        wanted = {shape(*operation) for operation in operations.values()}
        try:
            found = dict(in_sdk(url, wanted))
        except ImportError:
            found = dict(in_client(url, wanted))
            # Forms of its time: of an upload, which is refused (A90), and of an answer with roles (A113).
            for operation in ("uploadFiles", "listOrganizationRoles"):
                del found[shape(*operations[operation])]
        known = {id_: found.get(shape(*operation)) for id_, operation in operations.items()}
        self.methods = {id_: method for id_, method in known.items() if method is not None}
        self.called: set[str] = set()
        self.failed: dict[str, str] = {}
        self.unparsed: set[str] = set()
        """Answered as documented, by what is no JSON and the library takes for it."""

    def __call__(self, operation: str, *ids: str, **fields: Any) -> Any:
        """Answer as plain values."""
        method, path = self.operations[operation]
        plain = iter(ids)
        address = re.sub(r"\{[^}]*\}", lambda _: next(plain), path)
        if operation not in self.methods:
            return asked(self.url, method, address, **fields)
        try:
            answer = self.methods[operation](*ids, **fields)
        except Exception as error:
            if getattr(error, "status_code", 0) != 200 or operation not in NO_JSON:
                self.failed[operation] = repr(error)[:300]
                raise
            answer = None
            self.unparsed.add(operation)
        self.called.add(operation)
        return answer

    def spaces_and_threads(self) -> None:
        """Create, read, change, fill and empty a space and a thread."""
        in_organization = {"organization_id": ORGANIZATION}
        space = self("createSpace", name="Walk", **in_organization)["id"]
        thread = self("createThread", title="First", **in_organization)["id"]
        self.organizations()
        self("listSpaces", **in_organization)
        self("getSpace", space)
        self("updateSpace", space, name="Walked")
        self("listThreads")
        self("getUnreadThreads")
        self("getThreadChanges", since="2026-01-01T00:00:00Z")
        self("markThreadRead", thread)
        self("getThread", thread)
        self("updateThread", thread, title="Second")
        self("pinThread", thread)
        self("unpinThread", thread)
        self("addThreadToSpace", space, thread)
        self("listSpaceThreads", space)
        self.answers(thread)
        self("generateThreadName", thread, messages=[{"role": "user", "content": "About the booth"}])
        self.vector_stores(space)
        self("removeThreadFromSpace", space, thread)
        self("deleteSpace", space)
        self("deleteThread", thread)
        assert self("deleteAllThreads")["deleted"] > 0

    def organizations(self) -> None:
        """Read the caller, the organization, and what it and the model have."""
        self("getCurrentUser")
        self("listOrganizations")
        for operation in ("getOrganization", "listOrganizationRoles", "listDepartments"):
            self(operation, ORGANIZATION)
        self("listAssistants", organization_id=ORGANIZATION)
        for operation in ("listModels", "getOutputModes", "getReasoningLevels"):
            self(operation)

    def answers(self, thread: str) -> None:
        """Ask, edit and delete messages; cancel a stream, and read it again."""
        self("createResponse", thread_id=thread, **QUESTION)
        (question, answer) = self("listThreadMessages", thread)["data"]
        self("updateThreadMessage", thread, question["id"], content="Where?")
        self("deleteThreadMessage", thread, answer["id"])
        asked(self.control, "POST", "/__admin/replies", text="One two", fault=STALL)
        body = json.dumps({**QUESTION, "thread_id": thread, "stream": True}).encode()
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        stream = urllib.request.Request(f"{self.url}/v1/model/response", body, headers)
        with urllib.request.urlopen(stream):
            assert self("cancelStream", thread)["cancel_mode"] == "quick_edit"
        self("reconnectStream", thread, last_event_id=1)

    def vector_stores(self, space: str) -> None:
        """Create, read, change, attach, detach and delete a vector store."""
        store = self("createVectorStore", ORGANIZATION, name="Notes")["data"]["id"]
        self("listVectorStores", ORGANIZATION)
        self("getVectorStore", ORGANIZATION, store)
        self("updateVectorStore", ORGANIZATION, store, name="Kept")
        self.files(store)
        self("addVectorStoreToSpace", space, store)
        self("listSpaceVectorStores", space)
        self("removeVectorStoreFromSpace", space, store)
        self("deleteVectorStore", ORGANIZATION, store)

    def files(self, store: str) -> None:
        """Upload a file, read it, add it to a store, follow its processing, and delete it."""
        file = self._uploaded()
        self("listFiles", ORGANIZATION)
        self("getFile", ORGANIZATION, file)
        link = self("getFileContent", ORGANIZATION, file)["download_url"]
        sent = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(link).query))
        self("downloadFile", ORGANIZATION, file, token=sent["token"], expires=int(sent["expires"]))
        self("addFileToVectorStore", ORGANIZATION, store, file_id=file)
        more = {"filename": "more.txt", "content": "QW5k", "mime_type": "text/plain"}
        self("uploadBase64Files", ORGANIZATION, store, files=[more])
        self("listVectorStoreFiles", ORGANIZATION, store)
        for operation in ("getVectorStoreFile", "getVectorStoreFileStatus", "getVectorStoreFileLogs"):
            self(operation, ORGANIZATION, store, file)
        self("retryVectorStoreFile", ORGANIZATION, store, file)
        self("getVectorStoreUsage", ORGANIZATION)
        self("removeFileFromVectorStore", ORGANIZATION, store, file)
        self("deleteFile", ORGANIZATION, file)

    def _uploaded(self) -> str:
        """Id of an uploaded file."""
        if "uploadFiles" in self.methods:
            return str(self("uploadFiles", ORGANIZATION, files=[FILE])["files"][0]["id"])
        name, content, media_type = FILE
        part = f'--B\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        form = f"{part}Content-Type: {media_type}\r\n\r\n".encode() + content + b"\r\n--B--\r\n"
        headers = {"X-API-Key": KEY, "Content-Type": "multipart/form-data; boundary=B"}
        address = f"{self.url}/v1/organizations/{ORGANIZATION}/files/upload"
        with urllib.request.urlopen(urllib.request.Request(address, form, headers)) as answer:
            return str(json.loads(answer.read())["files"][0]["id"])


def walked(url: str, operations: dict[str, tuple[str, str]], control: str = "") -> dict[str, Any]:
    """Operations that the library has, those whose answers it has read, and what went wrong."""
    walk = Walk(url, operations, control)
    problem = ""
    try:
        walk.spaces_and_threads()
    except Exception as error:
        problem = repr(error)[:300]
    failed = walk.failed or ({"": problem} if problem else {})
    return {
        "has": sorted(walk.methods),
        "called": sorted(walk.called),
        "failed": failed,
        "unparsed": sorted(walk.unparsed),
    }


if __name__ == "__main__":
    print(json.dumps(walked(sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8")))))
