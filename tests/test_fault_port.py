"""What real clients see of each fault, at the main port and at the one that can close connections."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from tests.running import FROZEN, ready

SPACE = "/v1/spaces/space_abc123"
KEY = {"X-API-Key": "ak_demo_owner"}
NODE = shutil.which("node")
MAIN, SECOND = "main", "second"
WHOLE, CUT, NO_JSON, RESET, EMPTY, LATE = "whole", "cut", "no json", "reset", "empty", "late"


class Ports(NamedTuple):
    """Where one mock listens, and its log."""

    main: str
    second: str
    log: Path


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    log = tmp_path_factory.mktemp("log") / "log"
    with ready("--fault-port", "0", "--freeze", FROZEN, errors=log) as line:
        yield Ports(line["url"], f"http://127.0.0.1:{line['fault_port']}", log)


EXPECTED = [
    ("truncate", MAIN, CUT),
    ("truncate", SECOND, CUT),
    ("malformed", MAIN, NO_JSON),
    ("malformed", SECOND, NO_JSON),
    ("hang", MAIN, LATE),
    ("hang", SECOND, LATE),
    ("reset", MAIN, CUT),
    ("reset", SECOND, RESET),
    ("empty", MAIN, CUT),
    ("empty", SECOND, EMPTY),
]
each = pytest.mark.parametrize(("kind", "port", "expected"), EXPECTED)


def patience(kind: str) -> float:
    """Seconds after which a client gives up."""
    return 1.0 if kind == "hang" else 10.0


def seen_by_requests(url: str, kind: str) -> str:
    try:
        answer = requests.get(url, headers={**KEY, "X-Mock-Fault": kind}, timeout=patience(kind))
        answer.json()
    except requests.exceptions.ChunkedEncodingError:
        return CUT
    except requests.exceptions.JSONDecodeError:
        return NO_JSON
    except requests.exceptions.ConnectionError as error:
        names = {"ReadTimeoutError": LATE, "ConnectionResetError": RESET, "RemoteDisconnected": EMPTY}
        return next(seen for name, seen in names.items() if name in repr(error))
    return WHOLE


def seen_by_curl(url: str, kind: str) -> str:
    """By its exit code: 18 partial file, 28 timeout, 52 empty reply, 56 failure in receiving."""
    given = ["-H", "X-API-Key: ak_demo_owner", "-H", f"X-Mock-Fault: {kind}"]
    run = subprocess.run(
        ["curl", "-s", "-m", str(patience(kind)), url, *given], capture_output=True, check=False
    )
    if run.returncode == 0:
        try:
            json.loads(run.stdout)
        except ValueError:
            return NO_JSON
        return WHOLE
    return {18: CUT, 28: LATE, 52: EMPTY, 56: RESET}[run.returncode]


FETCH = """
async function seen(url, kind, patience) {
  const headers = { "X-API-Key": "ak_demo_owner", "X-Mock-Fault": kind };
  let began = false;
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(1000 * patience) });
    began = true;
    JSON.parse(await response.text());
    return "whole";
  } catch (error) {
    const code = error.cause?.code;
    if (error instanceof SyntaxError) return "no json";
    if (error.name === "TimeoutError") return "late";
    if (code === "ECONNRESET") return "reset";
    if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") return "cut";
    if (code === "UND_ERR_SOCKET") return began ? "cut" : "empty";
    return `${error} ${code}`;
  }
}
const all = [];
for (const given of JSON.parse(process.argv[1])) all.push(await seen(...given));
console.log(JSON.stringify(all));
"""


def seen_by_fetch(cases: list[tuple[str, str, float]]) -> list[str]:
    """One process for all: it takes longer to start than to ask."""
    assert NODE is not None
    command = [NODE, "--input-type=module", "-e", FETCH, json.dumps(cases)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(json.loads(run.stdout))


@each
def test_requests_sees_it(ports: Ports, kind: str, port: str, expected: str) -> None:
    assert seen_by_requests(getattr(ports, port) + SPACE, kind) == expected


@each
def test_curl_sees_it(ports: Ports, kind: str, port: str, expected: str) -> None:
    assert seen_by_curl(getattr(ports, port) + SPACE, kind) == expected


@pytest.mark.skipif(not NODE, reason="node is not installed")
def test_fetch_sees_it(ports: Ports) -> None:
    cases = [(getattr(ports, port) + SPACE, kind, patience(kind)) for kind, port, _ in EXPECTED]
    assert seen_by_fetch(cases) == [expected for *_, expected in EXPECTED]


@pytest.mark.parametrize("port", [MAIN, SECOND])
def test_a_drip_comes_bit_by_bit_and_whole(ports: Ports, port: str) -> None:
    url = getattr(ports, port)
    order(url, operation="getSpace", damage={"kind": "drip", "seconds": 0.2})
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("GET", SPACE, headers=KEY)
    answer = connection.getresponse()
    pieces = list(iter(lambda: answer.read1(), b""))
    connection.close()
    assert len(pieces) > 5
    assert json.loads(b"".join(pieces))["id"] == "space_abc123"
    requests.delete(f"{url}/__admin/faults", timeout=60)


def order(url: str, **fault: Any) -> None:
    requests.post(f"{url}/__admin/faults", json=fault, timeout=60).raise_for_status()


def test_both_ports_have_one_state(ports: Ports) -> None:
    body = {"organization_id": "org_abc123", "name": "Made at the second port"}
    made = requests.post(f"{ports.second}/v1/spaces/", json=body, headers=KEY, timeout=60)
    assert made.status_code == 201
    assert requests.get(f"{ports.main}/v1/spaces/{made.json()['id']}", headers=KEY, timeout=60).ok


def test_a_reset_hides_what_was_done_all_the_same(ports: Ports) -> None:
    path = f"{SPACE}/threads/thrd_def456"
    with pytest.raises(requests.ConnectionError):
        requests.post(ports.second + path, headers={**KEY, "X-Mock-Fault": "reset"}, timeout=60)
    listed = requests.get(f"{ports.main}{SPACE}/threads", headers=KEY, timeout=60).json()
    assert "thrd_def456" in [thread["id"] for thread in listed["data"]]


def test_a_stream_can_be_reset_before_its_first_byte(ports: Ports) -> None:
    body = {"inputs": [{"role": "user", "content": "Hello"}], "stream": True}
    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{ports.second}/v1/model/response",
            json=body,
            headers={**KEY, "X-Mock-Fault": "reset"},
            timeout=60,
        )


@pytest.mark.slow
def test_a_large_body_that_nobody_reads_does_not_turn_empty_into_reset(ports: Ports) -> None:
    given = ["-H", "X-API-Key: ak_demo_owner", "-H", "X-Mock-Fault: empty", "-H", "Expect:"]
    command = ["curl", "-s", f"{ports.second}{SPACE}", "-X", "GET", *given, "--data-binary", "@-"]
    run = subprocess.run(command, input=b" " * 3_000_000, check=False)
    assert run.returncode == 52


def test_the_log_names_what_was_injected(ports: Ports) -> None:
    requests.get(ports.main + SPACE, headers={**KEY, "X-Mock-Fault": "503"}, timeout=60)
    seen_by_requests(ports.main + SPACE, "reset")
    until = time.monotonic() + 5
    wanted = {"503; status=503", "reset; damage=truncate; instead-of=reset"}
    while time.monotonic() < until:
        entries = [json.loads(line) for line in ports.log.read_text("utf-8").splitlines()]
        if wanted <= {entry.get("fault") for entry in entries}:
            break
        time.sleep(0.02)
    else:
        pytest.fail(f"not in the log: {wanted}")
    assert all(entry["reason"].startswith("injected: ") for entry in entries if entry.get("fault") in wanted)


@pytest.mark.slow
def test_32_answers_that_are_held_up_leave_the_others_alone(ports: Ports) -> None:
    """They are still waiting when twenty others were answered."""
    slow = [
        threading.Thread(
            target=requests.get,
            args=(ports.main + SPACE,),
            kwargs={"headers": {**KEY, "X-Mock-Delay": "5000"}, "timeout": 10},
        )
        for _ in range(32)
    ]
    for thread in slow:
        thread.start()
    for _ in range(20):
        assert requests.get(ports.main + SPACE, headers=KEY, timeout=60).status_code == 200
    assert all(thread.is_alive() for thread in slow)
    for thread in slow:
        thread.join()


def test_a_mock_that_is_stopped_waits_for_no_fault() -> None:
    with ready("--fault-port", "0") as line:
        for url in (line["url"], f"http://127.0.0.1:{line['fault_port']}"):
            held = threading.Thread(target=seen_by_requests, args=(url + SPACE, "hang"))
            held.start()
            held.join()
        stopped = subprocess.run(["kill", "-TERM", str(line["pid"])], check=True)
        assert stopped.returncode == 0
        until = time.monotonic() + 5
        while time.monotonic() < until:
            try:
                requests.get(line["url"], timeout=60)
            except requests.ConnectionError:
                return
        pytest.fail("it still answers")


def test_as_many_are_held_up_as_there_may_be_and_the_rest_is_told() -> None:
    answers: list[requests.Response] = []

    def ask(url: str) -> None:
        answers.append(requests.get(url, headers={**KEY, "X-Mock-Delay": "3000"}, timeout=60))

    with ready("--threads", "8") as line:
        clients = [threading.Thread(target=ask, args=(line["url"] + SPACE,)) for _ in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    refused = [answer for answer in answers if answer.status_code == 503]
    assert (len(answers), len(refused)) == (8, 5)
    assert all("--threads" in answer.headers["X-Mock-Reason"] for answer in refused)


def test_a_fault_port_that_is_taken_is_told_in_one_line(ports: Ports) -> None:
    from click.testing import CliRunner

    from mockserver.commands.cli import main

    taken = ports.main.rpartition(":")[2]
    run = CliRunner().invoke(main, ["serve", "--port", "0", "--fault-port", taken])
    assert run.exit_code == 2
    assert f"{taken} is in use" in run.stderr
    assert "--fault-port 0" in run.stderr
