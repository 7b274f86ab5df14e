"""--extend: blueprints from files, those that can't be used, and the example of the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from flask.testing import FlaskClient

from mockserver.app import create_app
from mockserver.commands.cli import main
from mockserver.settings import Settings
from tests.fences import blocks
from tests.running import ROOT, eventually, mock

EXAMPLE = ROOT / "examples/login/login.py"
REFUSED = {
    "mine": ("from flask import Blueprint\nother = Blueprint('other', 'other')", "it has other"),
    "text": ("text = 7", "text is of type int"),
    "import_": ("\nimport no_such_module", "mine.py:2: ModuleNotFoundError"),
    "syntax": ("\n\ndef", "mine.py:3: SyntaxError"),
    "exit": ("raise SystemExit(3)", "mine.py:1: SystemExit: 3"),
    "taken": (
        "from flask import Blueprint\ntaken = Blueprint('t', 't')\ntaken.get('/v1/threads')(print)",
        "route /v1/threads: the document has /v1/threads",
    ),
}
"""Name of a blueprint -> a file without it, and what is said."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, name: str) -> None:
    source, said = REFUSED[name]
    file = tmp_path / "mine.py"
    file.write_text(source, "utf-8")
    assert said in refusal(f"{file}:{name}")


def refusal(extension: str) -> str:
    """The one line with which `check` refuses an extension, which it names."""
    result = CliRunner().invoke(main, ["check", "--extend", extension])
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    assert extension.partition(":")[0] in line
    return line


@pytest.mark.parametrize("extension", ["no/such/file.py:mine", "login.py", "login:login", "login.py:"])
def test_a_file_that_is_not_there_or_no_blueprint_is_one_line(extension: str) -> None:
    assert "FILE.py:NAME" in refusal(extension)


def test_the_example_is_the_one_of_the_docs() -> None:
    (shown,) = (block for block in blocks(ROOT / "docs/extend.md") if block.label == "login.py")
    assert shown.text + "\n" == EXAMPLE.read_text("utf-8")


@pytest.fixture
def login() -> FlaskClient:
    """A client of a mock with the login of the docs."""
    return create_app(Settings(quiet=True, extend=(f"{EXAMPLE}:login",))).test_client()


def test_the_login_gives_a_key_and_a_session_of_one_sandbox(login: FlaskClient) -> None:
    opened = login.post("/login", json={"email": "owner@example.com"}).get_json()
    assert login.get("/v1/threads", headers={"X-API-Key": opened["api_key"]}).status_code == 200
    mine = {"X-Session": opened["session"]}
    assert login.get("/session", headers=mine).get_json()["user_id"] == "usr_abc123"
    assert login.get("/__sandbox/room/session", headers=mine).status_code == 401
    assert login.delete("/session", headers=mine).status_code == 204
    assert login.get("/session", headers=mine).status_code == 401
    assert login.post("/login", json={"email": "nobody@example.com"}).status_code == 401


def write(file: Path, answer: str, name: str = "mine") -> None:
    """An extension that answers /NAME with a stream of two pieces."""
    file.write_text(
        "import time\n"
        "from flask import Blueprint\n"
        f"{name} = Blueprint({name!r}, __name__)\n"
        f"@{name}.get('/{name}')\n"
        "def answer():\n"
        "    def pieces():\n"
        f"        yield {answer!r}\n"
        "        time.sleep(0.5)\n"
        "        yield ' end'\n"
        "    return pieces()\n",
        "utf-8",
    )


@pytest.mark.slow
def test_a_changed_extension_is_served_and_a_bad_one_is_not(tmp_path: Path) -> None:
    file, errors = tmp_path / "mine.py", tmp_path / "stderr"
    write(file, "first")
    with mock("--extend", f"{file}:mine", "--watch", errors=errors) as url:

        def answers() -> str:
            return requests.get(f"{url}/mine", timeout=60).text

        assert answers() == "first end"
        write(file, "other")
        assert eventually(lambda: answers() == "other end")
        file.write_text("1 / 0\n", "utf-8")
        assert eventually(lambda: "the old one stays" in errors.read_text("utf-8"))
        (said,) = (line for line in errors.read_text("utf-8").splitlines() if "the old one stays" in line)
        assert "ZeroDivisionError" in said
        assert answers() == "other end"


def test_several_extensions_stream_over_http(tmp_path: Path) -> None:
    """By the flag, repeated, and by the variable; the first piece arrives before the last is made."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    write(first, "1", "first")
    write(second, "2", "second")
    flags = ("--extend", f"{first}:first", "--extend", f"{second}:second")
    for by_flag in (True, False):
        by_variable = "" if by_flag else f"{first}:first,{second}:second"
        with mock(*(flags if by_flag else ()), MOCK_EXTEND=by_variable) as url:
            assert requests.get(f"{url}/first", timeout=60).text == "1 end"
            with requests.get(f"{url}/second", stream=True, timeout=60) as answer:
                assert list(answer.iter_content(None)) == [b"2", b" end"]


@pytest.mark.slow
def test_a_call_over_http_from_a_transaction_is_a_503_and_no_deadlock(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import requests\n"
        "from flask import Blueprint, g, request\n"
        "mine = Blueprint('mine', __name__)\n"
        "@mine.get('/mine')\n"
        "def answer():\n"
        "    with g.sandbox.transaction():\n"
        "        key = {'X-API-Key': 'ak_demo_owner'}\n"
        "        inner = requests.get(request.host_url + 'v1/threads', headers=key)\n"
        "    return {'status': inner.status_code, 'reason': inner.headers['X-Mock-Reason']}\n",
        "utf-8",
    )
    with mock("--extend", f"{file}:mine") as url:
        inner = requests.get(f"{url}/mine", timeout=60).json()
    assert inner["status"] == 503
    assert "must not wait, nor call the mock" in inner["reason"]
