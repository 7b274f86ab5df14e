"""No run deletes a whole collection: `DELETE /v1/threads` would delete all threads of the key's user."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from contracts.checks.errors import WriteGuardError
from contracts.checks.spec import NEVER_SENT, document
from contracts.generated.id_rewriting import IdRewriter
from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.deployment import Http
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.http.transport import Transport
from contracts.safety.ledger import Ledger
from contracts.safety.write_guard import deletes_collection
from contracts.suite import CHECKS
from mockserver.app import MockServer

ALL_THREADS = [
    "/v1/threads",
    "/v1/threads/",
    "/v1/threads//",
    "//v1/threads",
    "/v1/threads?organization_id=org_abc123",
    "/v1/threads#x",
    "/v1/threads;x",
    "/v1/threads/.",
    "/v1/threads/x/..",
    "/v1/threads/%2e",
    "/v1/threads/%252e",
    "/v1/threads%2F",
    "/v1/threads/x/%2E%2E",
    "/v1/threads\\",
    "/v1/THREADS",
    "/v1/%74hreads",
    "/v1/threads/thrd_a/messages",
    "/v1/spaces/space_a/threads/",
    "/",
]
"""What some client, proxy or server reads as the path of a collection."""
SINGLE = [
    "/v1/threads/thrd_abc123",
    "/v1/threads/thrd_abc123/messages/msg_a",
    "/v1/spaces/space_a/threads/thrd_a",
    "/v1/organizations/org_a/vector-stores/vs_a?x=/threads",
]


@pytest.mark.parametrize("path", ALL_THREADS)
def test_no_spelling_of_a_collection_is_deleted(path: str) -> None:
    assert deletes_collection("DELETE", path)
    assert deletes_collection("delete", path)
    assert not deletes_collection("GET", path)


@pytest.mark.parametrize("path", SINGLE)
def test_a_single_resource_is_deleted(path: str) -> None:
    assert not deletes_collection("DELETE", path)


def test_the_http_clients_send_none_whoever_asks_for_it(app: MockServer) -> None:
    request = ClientRequest("DELETE", "/v1/threads", "owner")
    before = len(app.sandboxes.get().threads)
    for transport in (Http("http://127.0.0.1:1"), InProcess(app)):
        with pytest.raises(WriteGuardError, match="deletes a whole collection"):
            transport.send(request, DEMO["owner"])
        with pytest.raises(WriteGuardError):
            Run(transport, DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="r").owner.ask(
                "DELETE", request.path
            )
    assert len(app.sandboxes.get().threads) == before


def test_no_check_knows_of_an_operation_that_is_never_sent() -> None:
    """Not to ask without a key either, nor as a method that a path does not have."""
    operations = document().operations
    assert "DELETE /v1/threads" not in operations
    assert "GET /v1/threads" in operations
    assert not any(NEVER_SENT in operation.raw for operation in operations.values())
    assert not any("deleteAllThreads" in check.operations for check in CHECKS)


def test_no_generated_request_is_one(app: MockServer) -> None:
    run = Run(InProcess(app), DEMO, DEMO_ORGANIZATION, ledger=Ledger(), run_id="r")
    for path in ALL_THREADS:
        assert IdRewriter(run).send(ClientRequest("DELETE", path, "owner")) is None


class Hostile(Transport):
    """Target that gives what it creates an id of its choice."""

    def __init__(self, id_: str) -> None:
        super().__init__("http://hostile", None)
        self.id, self.sent = id_, list[str]()

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:  # noqa: ARG002
        self.sent.append(f"{request.method} {request.path}")
        body: Any = {"id": self.id, "user_id": "usr_a"}
        return ClientResponse(request, 201, {"content-type": "application/json"}, json.dumps(body), 0.0)


@pytest.mark.parametrize("id_", ["", ".", "..", "x/..", "%2e", "/", "?", "#"])
def test_clean_up_deletes_none_whatever_the_target_calls_a_thread(id_: str) -> None:
    target = Hostile(id_)
    run = Run(target, {"owner": "k"}, "org_one", ledger=Ledger(), run_id="r")
    with suppress(Exception):
        run.owner.new_thread()
    run.clean_up()
    assert target.sent == ["POST /v1/threads"]
