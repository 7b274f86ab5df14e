"""What a run must never do: write to what was there, wait without end, send a key elsewhere."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contracts.checks.errors import Broken, Spent, Unanswered
from contracts.cli import main
from contracts.http.deployment import Http
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.run import Run
from contracts.http.transport import RequestLimit, Transport
from contracts.safety.ledger import Ledger

KEYS = {"owner": "ak_owner"}
LIST = ClientRequest("GET", "/v1/threads", None)


class Canned(Transport):
    """Target that answers every request with the same body."""

    def __init__(self, **body: Any) -> None:
        super().__init__("http://canned", None)
        self.body, self.methods = json.dumps(body), list[str]()

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:  # noqa: ARG002
        self.methods.append(request.method)
        return ClientResponse(request, 201, {"content-type": "application/json"}, self.body, 0.0)


@pytest.mark.parametrize(("kind", "path"), [("space", "/v1/spaces/"), ("thread", "/v1/threads")])
def test_an_id_that_was_there_before_is_a_finding_and_never_the_runs_own(kind: str, path: str) -> None:
    target, ledger = Canned(id="x_old", vector_store_id="vs_old"), Ledger()
    ledger.begin(before={"owner": {kind: ["x_old", "vs_old"]}})
    run = Run(target, KEYS, "org_one", ledger=ledger, run_id="r")
    with pytest.raises(Broken, match="x_old, which was there before the run"):
        run.send(ClientRequest("POST", path, "owner", {"name": "x"}))
    assert (run.clean_up(), target.methods) == ([], ["POST"])
    assert not ledger.owns("x_old")
    assert not ledger.owns("vs_old")


class Slow(Canned):
    """Target that takes its time to create."""

    def _answer(self, request: ClientRequest, key: str | None) -> ClientResponse:
        answer = super()._answer(request, key)
        if request.method == "DELETE":
            return answer._replace(status=204)
        time.sleep(0.002)
        fields = {"id": f"space_{self.methods.count('POST')}", "vector_store_id": "vs_1"}
        return answer._replace(text=json.dumps(fields))


def test_what_other_threads_create_while_a_run_ends_is_removed_and_nothing_is_created_after() -> None:
    target, ended = Slow(), list[Exception]()
    run = Run(target, KEYS, "org_one", ledger=Ledger(), run_id="r")

    def create() -> None:
        try:
            for _ in range(10_000):
                run.send(ClientRequest("POST", "/v1/spaces/", "owner", {"name": "x"}))
        except Spent as error:
            ended.append(error)

    threads = [threading.Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    while target.methods.count("POST") < 20:
        time.sleep(0.001)
    assert run.clean_up() == []
    for thread in threads:
        thread.join()
    assert [*map(str, ended)] == ["the run has ended"] * 3
    assert list(run.ledger.left()) == []
    assert run.ledger.unanswered == []


@contextmanager
def serving(*pieces: bytes, endless: bytes = b"") -> Iterator[str]:
    """Server that answers each connection with these bytes, then with `endless` ones, or with silence."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                for piece in pieces:
                    connection.sendall(piece)
                while endless:
                    connection.sendall(endless)
            except OSError:
                return
            over.wait(60)

    def accept(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = gzip.compress(bytes(200_000_000))


@pytest.mark.parametrize(
    ("pieces", "endless"),
    [
        ((HEAD, b"\r\n"), b" " * 65536),
        ((HEAD, b"Content-Encoding: gzip\r\n", f"Content-Length: {len(BOMB)}\r\n\r\n".encode(), BOMB), b""),
    ],
    ids=["endless", "gzip"],
)
def test_a_body_is_read_up_to_a_limit(pieces: tuple[bytes, ...], endless: bytes) -> None:
    with (
        serving(*pieces, endless=endless) as url,
        pytest.raises(Unanswered, match="more than 16,777,216 bytes"),
    ):
        Http(url).send(LIST, None)


@pytest.mark.parametrize("pieces", [(), (HEAD,), (HEAD, b"Content-Length: 9\r\n\r\n[")])
def test_a_silent_target_is_waited_for_until_the_run_is_over(pieces: tuple[bytes, ...]) -> None:
    limit = RequestLimit()
    with serving(*pieces) as url:
        target = Http(url, limit)
        limit.end_at(time.monotonic() + 0.5)
        with pytest.raises((Unanswered, Spent)):
            target.send(LIST, None)
        with pytest.raises(Spent, match="the time of the run is over"):
            target.send(LIST, None)


@pytest.mark.parametrize("path", ["@127.0.0.1:1/v1/threads", "", "v1/threads", ":80/"])
def test_a_path_never_becomes_part_of_the_host(path: str) -> None:
    with pytest.raises(Unanswered, match="not sent"):
        Http("http://good.invalid").send(ClientRequest("GET", path, None), "ak_secret")


def told(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    return result.exit_code, result.output


def test_a_ledger_or_report_does_not_choose_where_keys_are_sent(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger-1.jsonl"
    ledger.write_text(json.dumps({"about": {"target": "http://stranger.invalid"}}) + "\n", "utf-8")
    report = tmp_path / "report.json"
    run = {"given": "http://stranger.invalid", "seed": 1, "profile": "quick"}
    report.write_text(json.dumps({"run": run, "failures": [{"id": 1}]}), "utf-8")
    for words in (["cleanup", str(ledger)], ["cleanup", str(ledger), "--target", "http://mine.invalid"]):
        assert told(*words)[0] == 2
        assert "pass --target" in told(*words)[1]
    code, said = told("replay", f"{report}#1")
    assert (code, "pass --target" in said) == (2, True)
