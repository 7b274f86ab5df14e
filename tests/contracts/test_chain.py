"""Chains of failures: only the requests needed, as shell commands."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from contracts.checks.check import Check
from contracts.checks.errors import Broken
from contracts.checks.evidence import Evidence
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.target import InProcess
from contracts.http.transport import RequestLimit
from contracts.report.curl import commands
from contracts.verdict.failure import Outcome
from contracts.verdict.reproduction import IdSources, minimal
from contracts.verdict.runner import judge
from mockserver.app import MockServer
from tests.contracts.broken import broken
from tests.contracts.strength import fresh_app, run_on


@pytest.fixture(scope="module")
def app() -> Iterator[MockServer]:
    with broken("adding-twice-is-a-conflict"):
        yield fresh_app()


def add_twice(run: Run) -> None:
    """It does much that has nothing to do with it."""
    space, thread, noise = run.owner.new_space()["id"], run.owner.new_thread()["id"], run.owner.new_space()
    run.owner.get(f"/v1/spaces/{space}")
    run.owner.ask("PATCH", f"/v1/spaces/{noise['id']}", {"name": "noise"})
    run.owner.ask("PATCH", f"/v1/spaces/{space}", {"name": "touched"})
    run.owner.add(space, thread)
    run.owner.threads_of(space)
    answer = run.owner.add(space, thread)
    if answer.status != 201:
        raise Broken("status", expected=201, got=answer.status)


def adds_twice() -> Check:
    return Check(
        "adds-twice", "It holds.", "behaviour", ("addThreadToSpace",), Evidence.DOCUMENTED, None, add_twice
    )


def judged(app: MockServer) -> Outcome:
    return judge(adds_twice(), run_on(app))


def test_a_failure_has_only_the_requests_without_which_it_does_not_show(app: MockServer) -> None:
    (failure,) = judged(app).failures
    assert [(a.request.method, a.request.path.split("/")[2], a.status) for a in failure.chain] == [
        ("POST", "spaces", 201),
        ("POST", "threads", 201),
        ("POST", "spaces", 201),
        ("POST", "spaces", 422),
    ]
    assert failure.alone


def test_no_request_is_spent_on_cutting_down_where_they_are_few(app: MockServer) -> None:
    run = run_on(app)
    assert isinstance(run._transport, InProcess)
    run._transport.limit = RequestLimit(most=1000)
    (failure,) = judge(adds_twice(), run).failures
    assert (failure.alone, len(failure.chain) > 4) == (None, True)


def test_its_commands_take_the_ids_from_the_answers(app: MockServer) -> None:
    chain = judged(app).failures[0].chain
    lines, _ = commands(chain)
    assert lines[0].startswith("SPACE_1=$(curl ")
    assert lines[1].startswith("THREAD_1=$(curl ")
    assert '"$TARGET/v1/spaces/${SPACE_1}/threads/${THREAD_1}"' in lines[3]
    assert "$CONTRACTS_OWNER_KEY" in lines[3]
    assert chain[0].body["id"] not in "".join(lines)


def exchange(
    method: str, path: str, body: object = None, answer: str = "{}", role: str = "owner"
) -> ClientResponse:
    return ClientResponse(
        ClientRequest(method, path, role, body), 201 if method == "POST" else 200, {}, answer, 1.0
    )


def test_the_user_that_a_request_names_is_made_known_first() -> None:
    """Though it was learned by an earlier check."""
    id_sources = IdSources()
    learned = exchange("POST", "/v1/threads", {}, '{"id": "thrd_000001", "user_id": "usr_000001"}', "viewer")
    id_sources.note(learned)
    made = exchange("POST", "/v1/spaces/", {"access_users": ["usr_000001"]}, '{"id": "space_000001"}')
    read = exchange("GET", "/v1/spaces/space_000001")
    assert minimal([made, read], read, (), id_sources) == (learned, made, read)


def test_a_shell_sends_exactly_what_was_sent() -> None:
    odd = '{"name": "it\'s $HOME `x` \\\\ \\"space_000001\\""}'
    chain = [
        exchange("POST", "/v1/spaces/", {"name": "a"}, '{"id": "space_000001"}'),
        exchange("PATCH", "/v1/spaces/space_000001?x=$(id)`id`", odd),
    ]
    script = "\n".join(
        (
            'curl() { case "$*" in *PATCH*) printf "%s\\n" "$@";; esac; }; jq() { echo space_000002; }',
            "TARGET=http://target CONTRACTS_OWNER_KEY=key",
            *commands(chain)[0],
        )
    )
    sent = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert odd.replace("space_000001", "space_000002") in sent
    assert "http://target/v1/spaces/space_000002?x=$(id)`id`\n" in sent
    assert "X-API-Key: key\n" in sent


def test_reading_a_thing_is_not_where_it_comes_from() -> None:
    """Though the answer has its id; and what was made beside it is not needed."""
    id_sources = IdSources()
    made = exchange("POST", "/v1/spaces/", {"name": "a"}, '{"id": "space_000001"}')
    other = exchange("POST", "/v1/threads", {}, '{"id": "thrd_000001"}')
    for each in (made, other):
        id_sources.note(each)
    first, last = (
        exchange("GET", "/v1/spaces/space_000001", None, '{"id": "space_000001"}') for _ in range(2)
    )
    assert minimal([other, first, last], last, (), id_sources) == (made, last)
