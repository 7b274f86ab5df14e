"""The `mockserver` command: one line when something is wrong, and every flag has its twin."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click
import pytest
from click.testing import CliRunner

from mockserver.app import create_app
from mockserver.commands.addresses import urls_to_open
from mockserver.commands.cli import main
from mockserver.http.log import RequestLog
from mockserver.settings import Settings
from tests.freddy.test_state import without_session
from tests.running import mock

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MOCK_") or name in ("PORT", "FREDDY_API_KEY"):
            monkeypatch.delenv(name)


@contextmanager
def running(*flags: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A mock as a child process, and the line that it says once it is ready."""
    with subprocess.Popen(
        [sys.executable, "-m", "mockserver", "serve", *flags],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            yield child, json.loads(child.stdout.readline())
        finally:
            child.kill()


@contextmanager
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def refusal(command: str, *flags: str, **environment: str) -> str:
    """The one line that the command says before it ends with 2."""
    result = CliRunner().invoke(main, [command, *flags], env=environment)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("flag", "variable", "value"),
    [
        ("--port", "MOCK_PORT", "abc"),
        ("--port", "MOCK_PORT", "99999"),
        ("--port", "MOCK_PORT", "-1"),
        ("--freeze", "MOCK_FREEZE", "nonsense"),
        ("--freeze", "MOCK_FREEZE", "2026-02-26T10:30:00"),
        ("--seed", "MOCK_SEED", "x"),
        ("--max-body-bytes", "MOCK_MAX_BODY_BYTES", "0"),
        ("--threads", "MOCK_THREADS", "0"),
        ("--cors-origins", "MOCK_CORS_ORIGINS", "localhost:3000"),
        ("--cors-origins", "MOCK_CORS_ORIGINS", "https://app.example/page"),
        ("--faults", "MOCK_FAULTS", "chaos"),
        ("--rate-limit", "MOCK_RATE_LIMIT", "30"),
        ("--fault-port", "MOCK_FAULT_PORT", "70000"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_line_that_names_it(flag: str, variable: str, value: str) -> None:
    for line in (refusal("serve", flag, value), refusal("serve", **{variable: value})):
        assert line.startswith(f"mockserver: {flag} (or {variable}): ")
        assert repr(value) in line


def test_a_variable_is_checked_though_it_has_no_flag_value() -> None:
    assert refusal("serve", MOCK_QUIET="maybe").startswith("mockserver: --quiet (or MOCK_QUIET): ")


@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_spec_or_scenario_that_cannot_be_used_is_one_line(command: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("openapi: 3.1.0\nopenapi: 3.1.0\n", "utf-8")
    assert "no scenario 'nope': give one of demo, empty" in refusal(command, "--scenario", "nope")
    assert f"{tmp_path}/none.yaml: No such file" in refusal(command, "--spec", f"{tmp_path}/none.yaml")
    assert f"{broken}:2: duplicate key" in refusal(command, "--spec", str(broken))
    assert f"{broken}:2: duplicate key" in refusal(command, MOCK_SCENARIO=str(broken))
    assert refusal(command, "--spec", str(tmp_path))


def test_an_unknown_flag_ends_with_2() -> None:
    assert CliRunner().invoke(main, ["serve", "--prot", "1"]).exit_code == 2


@pytest.mark.parametrize(
    ("word", "named"),
    [("requsts", "requests"), ("sate", "state"), ("snapshots", "snapshot"), ("log", "logs")],
)
def test_a_mistyped_command_is_answered_with_those_like_it(word: str, named: str) -> None:
    result = CliRunner().invoke(main, [word])
    assert result.exit_code == 2
    assert named in result.stderr.rpartition("Did you mean")[2]


def test_a_mock_for_every_address_says_which_ones_can_be_opened() -> None:
    assert urls_to_open("127.0.0.1", 4010) == ["http://127.0.0.1:4010"]
    assert urls_to_open("::1", 4010) == ["http://[::1]:4010"]
    first, *rest = urls_to_open("0.0.0.0", 4010)
    assert first == "http://127.0.0.1:4010"
    assert all(each.startswith("http://") and "127.0" not in each for each in rest)


def test_a_taken_port_is_one_line() -> None:
    with taken_port() as port:
        assert f"127.0.0.1:{port} is in use" in refusal("serve", "--port", str(port))


def test_an_address_that_is_not_ours_is_one_line() -> None:
    assert "192.0.2.1" in refusal("serve", "--host", "192.0.2.1", "--port", "0")


def test_the_flag_wins_over_mock_port_and_that_over_port() -> None:
    with taken_port() as first, taken_port() as second, taken_port() as third:
        one = {"PORT": str(first)}
        two = {**one, "MOCK_PORT": str(second)}
        assert f":{first} " in refusal("serve", **one)
        assert f":{second} " in refusal("serve", **two)
        assert f":{third} " in refusal("serve", "--port", str(third), **two)


def test_check_says_ok(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.yaml"
    scenario.write_text("organizations: []\nusers: []\n", "utf-8")
    result = CliRunner().invoke(
        main, ["check", "--scenario", str(scenario), "--spec", f"{ROOT}/openapi.yaml"]
    )
    assert (result.exit_code, result.output.startswith("ok: scenario 'mine' fits ")) == (0, True)
    assert CliRunner().invoke(main, ["check"]).output == "ok: scenario 'demo' fits the bundled spec\n"


def test_the_version_tells_which_spec_is_inside() -> None:
    with mock() as url, urlopen(f"{url}/__admin/health") as answer:
        served = json.load(answer)
    spec = served["spec"]
    line = f"mockserver {served['version']}, {spec['title']} {spec['version']}, sha256 {spec['sha256']}\n"
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output) == (0, line)


def commands() -> list[tuple[str, click.Command]]:
    """Every command by its name."""
    assert isinstance(main, click.Group)
    return sorted(main.commands.items())


def test_every_setting_is_a_flag_of_serve() -> None:
    """But the key, which is a secret: only in the environment."""
    flags = {option.name for option in dict(commands())["serve"].params}
    assert flags == set(Settings.model_fields) - {"api_key"}


@pytest.mark.parametrize(("name", "command"), commands())
def test_help_lists_every_flag_with_its_twin(name: str, command: click.Command) -> None:
    text = " ".join(CliRunner().invoke(main, [name, "--help"]).output.split())
    assert "Exit codes:" in text
    assert "Examples:" in text
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.opts[0] in text
            if option.envvar or option.name in Settings.model_fields:
                twin = f"MOCK_{(option.name or '').rstrip('_').upper()}"
                assert f"[{option.envvar or twin}" in text


def test_port_0_picks_one_and_says_so_in_one_line_of_json(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with running("--port", "0", "--port-file", str(file)) as (child, ready):
        assert (ready["pid"], ready["scenario"]) == (child.pid, "demo")
        assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
        with urlopen(f"{ready['url']}/__admin/ready") as answer:
            assert json.load(answer) == {"status": "ready", "scenario": "demo"}
        child.terminate()
        assert child.communicate(timeout=60)[0] == ""
    assert file.read_text("ascii") == str(ready["port"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0(number: signal.Signals) -> None:
    with running(MOCK_PORT="0") as (child, ready):
        with urlopen(f"{ready['url']}/__admin/clock") as answer:
            assert answer.status == 200
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (0, "")
    assert json.loads(err)["operation"] == "getClock"


@pytest.mark.slow
def test_a_full_stderr_does_not_keep_it_from_ending() -> None:
    with running("--port", "0") as (child, ready):
        with socket.create_connection(("127.0.0.1", ready["port"]), timeout=60) as connection:
            for _ in range(1500):
                connection.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
                connection.recv(65536)
        child.terminate()
        assert child.wait(2) == 0


def test_quiet_keeps_stderr_empty() -> None:
    with running("--port", "0", "--quiet") as (child, ready):
        with urlopen(f"{ready['url']}/__admin/health") as answer:
            assert answer.status == 200
        child.terminate()
        assert child.communicate(timeout=60) == ("", "")


def test_the_key_from_the_environment_is_never_said() -> None:
    with running("--port", "0", FREDDY_API_KEY="my-own-secret") as (child, ready):
        child.terminate()
        out, err = child.communicate(timeout=60)
    assert "my-own-secret" not in json.dumps(ready) + out + err


def test_a_frozen_clock_is_what_everything_is_dated_by() -> None:
    with mock(MOCK_FREEZE="2026-02-26T10:30:00Z") as url, urlopen(f"{url}/__admin/clock") as answer:
        assert json.load(answer) == {"now": "2026-02-26T10:30:00Z", "frozen": True}


@pytest.mark.parametrize("place", [".", "no/such/folder", "/"])
def test_a_port_file_that_cannot_be_written_is_one_line(tmp_path: Path, place: str) -> None:
    file = str(tmp_path / place)
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--port-file", file]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (child.returncode, child.stdout) == (2, "")
    assert child.stderr.startswith(f"mockserver: cannot write the port file: {file}: ")
    assert len(child.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCK_SPEC", "")
    monkeypatch.setenv("MOCK_PORT", "")
    assert CliRunner().invoke(main, ["check"]).exit_code == 0


def test_a_key_that_no_user_of_the_scenario_can_hold_is_told(tmp_path: Path) -> None:
    world = tmp_path / "world.yaml"
    world.write_text("organizations: []\nusers: []\n")
    with running("--port", "0", "--scenario", str(world), FREDDY_API_KEY="ak_mine") as (child, _):
        child.terminate()
        assert "FREDDY_API_KEY is not used" in child.communicate()[1]


def ask(url: str, method: str, path: str, body: Any = None) -> Any:
    """What the mock answers."""
    headers = {"X-API-Key": "ak_demo_owner", "Content-Type": "application/json"}
    sent = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url + path, sent, headers, method=method)) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_what_is_exported_at_the_end_is_what_the_next_one_begins_with(tmp_path: Path) -> None:
    file, new = tmp_path / "state.json", {"organization_id": "org_abc123", "name": "Kept"}
    with running("--port", "0", "--freeze", "2026-02-26T10:30:00Z", "--export-on-exit", str(file)) as (
        child,
        ready,
    ):
        kept = ask(ready["url"], "POST", "/v1/spaces/", new)
        assert not file.exists()
        child.terminate()
        assert child.wait(60) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]
    with running("--port", "0", MOCK_IMPORT=str(file)) as (_, ready):
        for sandbox in ("", "/__sandbox/other"):
            assert ask(ready["url"] + sandbox, "GET", f"/v1/spaces/{kept['id']}") == kept
        ask(ready["url"], "POST", "/v1/spaces/", new)
        ask(ready["url"], "POST", "/__admin/reset")
        with urlopen(f"{ready['url']}/__admin/state") as answer:
            after, before = json.loads(answer.read()), json.loads(file.read_bytes())
    assert without_session(after) == without_session(before), "a reset goes back to the import"
    assert after["start"] != before["start"], "the import is the start, and no longer the scenario"


def test_a_large_world_is_announced_before_it_is_generated(capsys: pytest.CaptureFixture[str]) -> None:
    for size, lines in (("threads=10,messages=10", 0), ("threads=20000", 1)):
        log = RequestLog(quiet=True)
        create_app(Settings(generate=size), log=log)
        log.flush()
        assert capsys.readouterr().err.count("generating 20,000 threads") == lines


def test_a_state_that_cannot_be_imported_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    assert "No such file" in refusal("serve", "--import", str(file))
    for text, reason in (("{", "not valid JSON: "), ("[]", "it: "), ("{}", "format: is required")):
        file.write_text(text)
        assert reason in refusal("serve", "--import", str(file))
        assert f"{file}: " in refusal("check", MOCK_IMPORT=str(file))
    assert "--scenario, --seed: --import sets this already" in refusal(
        "serve", "--import", str(file), "--scenario", "demo", "--seed", "1"
    )


def test_a_place_that_cannot_be_exported_to_is_told_at_the_start(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none" / "state.json"):
        assert "--export-on-exit: " in refusal("serve", "--port", "0", "--export-on-exit", str(file))


@pytest.mark.parametrize(
    "order", ["threads", "threads=x", "threads=-1", "threads=1,threads=2", "users=1", ""]
)
def test_a_world_that_cannot_be_generated_is_one_line(order: str) -> None:
    if order:
        assert "threads=N, messages=N, spaces=N" in refusal("serve", "--generate", order)
    else:
        assert "threads=N" in refusal("serve", "--generate", " ")


def test_a_folder_of_scenarios_is_read_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("organizations: []\nusers: []\n")
    with running("--port", "0", "--scenarios", str(tmp_path)) as (_, ready):
        made = ask(ready["url"], "POST", "/__admin/sandboxes", {"scenario": "mine"})
        assert made["origin"] == "scenario:mine"
    assert "none: No such file" in refusal("serve", "--scenarios", str(tmp_path / "none"))
    (tmp_path / "demo.yaml").write_text("")
    assert "rename the file" in refusal("serve", "--scenarios", str(tmp_path))
    (tmp_path / "demo.yaml").rename(tmp_path / "a b.yaml")
    assert "rename the file" in refusal("serve", "--scenarios", str(tmp_path))
    (tmp_path / "a b.yaml").rename(tmp_path / "broken.yaml")
    assert "broken.yaml:1: " in refusal("serve", "--scenarios", str(tmp_path))
