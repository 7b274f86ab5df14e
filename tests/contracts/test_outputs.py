"""Outputs of a run on a target that repeats keys and sends text that terminals and build servers obey."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from click.testing import CliRunner

from contracts.cli import main
from contracts.http.redact import Redactor
from contracts.report.curl import as_curl
from tests.contracts.habits_table import KEYS
from tests.contracts.other_server import Handler, Wrap, running
from tests.contracts.other_state import KEYS as USERS
from tests.contracts.other_state import Reply

KEY = "ak_L+ve/9Qz=&x'y\"_Secret"
CHECKS = ("add-answers-as-documented", "errors-give-nothing-away", "adding-to-an-unknown-space-is-404")


def spellings(key: str) -> list[str]:
    """The key as a target may repeat it."""
    encoded = [base64.b64encode(f"{before}{key}:x".encode()).decode() for before in ("", "u", "us", "user:")]
    return [
        key,
        key.upper(),
        key.lower(),
        json.dumps(key)[1:-1].replace("/", "\\/"),
        "".join(f"\\u{ord(char):04X}" for char in key),
        quote(key, safe=""),
        "".join(f"%{ord(char):02x}" for char in key),
        html.escape(key),
        *(f"Basic {text}" for text in encoded),
        *(text.replace("+", "-").replace("/", "_") for text in encoded),
    ]


def repeated(key: str, text: str) -> list[str]:
    """How a text still has the key, found by decoding it."""
    unescaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    decoded = {"plain": unescaped.replace("\\", ""), "url": unquote(text), "html": html.unescape(text)}
    tokens = re.findall(r"[A-Za-z0-9+/_-]{16,}", unescaped)
    for token in tokens:
        for start in range(4):
            part = token[start:].replace("-", "+").replace("_", "/")
            raw = base64.b64decode(part[: len(part) // 4 * 4])
            decoded[f"base64 {token} {start}"] = raw.decode("latin-1")
    return [how for how, found in decoded.items() if key.lower()[3:] in found.lower()]


def outputs(
    folder: Path, habit: Wrap, monkeypatch: pytest.MonkeyPatch, login: str = "", *words: str
) -> dict[str, str]:
    """Every file and stream of a run and of a doctor, by name."""
    monkeypatch.setitem(USERS, KEY, "usr_ann")
    summary = folder / "summary.md"
    keys = {**KEYS, "CONTRACTS_OWNER_KEY": KEY, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    only = [word for check in CHECKS for word in ("--only", check)]
    with running(habit) as (url, _):
        target = url.replace("://", f"://{login}")
        baseline = ("--baseline", str(folder / "known.json"), "--update-baseline")
        command = ["run", "--target", target, "--report-dir", str(folder), *only, *baseline, *words]
        done = CliRunner().invoke(main, command, env=keys)
        doctor = CliRunner().invoke(main, ["doctor", "--target", target, *words], env=keys)
    assert not isinstance(done.exception, AssertionError), done.exception
    found = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    assert {"report.json", "report.html", "junit.xml", "failures.har", "summary.md", "known.json"} <= {*found}
    assert json.loads(found["report.json"])["failures"], done.output
    return {**found, "output": done.output, "doctor": doctor.output}


def repeating(text: str) -> Wrap:
    """Repeats the text in answers about spaces, in a field and in the message, and in every header."""

    def habit(request: Handler, answer: Callable[[], Reply]) -> Reply:
        reply = answer()
        body = json.loads(reply.body) if reply.body else None
        if isinstance(body, dict) and "/spaces/" in request.path:
            body |= {"message": text, "x_text": {text: text}}
            reply = reply._replace(body=json.dumps(body).encode())
        printable = re.sub(r"[^\x20-\x7e]", "?", text)
        return reply._replace(headers={**reply.headers, "X-Repeated": printable})

    return habit


@pytest.mark.slow
@pytest.mark.parametrize("spelled", spellings(KEY))
def test_no_output_has_a_key_however_the_target_spells_it(
    spelled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = outputs(tmp_path, repeating(spelled), monkeypatch)
    assert {name: how for name, text in texts.items() if (how := repeated(KEY, text))} == {}


def test_user_and_password_of_the_target_are_sent_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password, seen = "s3cr+t/pw", set()

    def habit(request: Handler, answer: Callable[[], Reply]) -> Reply:
        seen.add(request.headers["Authorization"])
        return repeating(f"alice {password} {request.headers['Authorization']}")(request, answer)  # type: ignore[return-value]

    login = f"alice:{quote(password, safe='')}@"
    header = ("--header", "X-Gateway-Token: t0ken-of-the-gateway")
    texts = outputs(tmp_path, habit, monkeypatch, login, *header)
    assert seen == {"Basic " + base64.b64encode(f"alice:{password}".encode()).decode()}
    for secret in ("alice", password, "t0ken-of-the-gateway"):
        assert [
            name for name, text in texts.items() if secret in text or repeated("xxx" + secret, text)
        ] == []
    assert "$TARGET_PASSWORD@" in texts["report.json"]


def test_a_key_that_was_cut_off_is_masked_too() -> None:
    redact = Redactor({"owner": "ak_1234567890"})
    assert "ak_12345" not in redact.text("x" * 100 + "ak_12345")
    assert redact.text("ak_12345") == "ak_12345"


HOSTILE = {
    "colour": "\x1b[31mred",
    "title of the terminal": "\x1b]0;owned\x07",
    "C1 controls": "\x9b31m\x90",
    "direction": "\u202egnp.exe\u2066",
    "carriage return": "wrong\rright",
    "annotation": "x\n::error file=a.py::injected",
    "mask": "\n::add-mask::passed",
    "old command": "##[error]injected",
    "azure": "##vso[task.setvariable]x",
    "page": "</pre><script>alert(1)</script><img src=x onerror=alert(1)>",
    "lone surrogate": "\ud800",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_target_says_is_shown_and_not_obeyed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = outputs(tmp_path, repeating(HOSTILE[kind]), monkeypatch)
    for name in ("output", "doctor", "report.html", "summary.md", "junit.xml"):
        found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", texts[name])
        assert found is None, (name, found)
    for line in texts["output"].splitlines():
        assert "##[" not in line
        assert "##vso" not in line
        assert not line.strip().startswith("::") or re.match("::(error|warning|notice) (file|title)=", line)
    assert "<script" not in texts["report.html"] + texts["summary.md"]
    assert "<img" not in texts["report.html"] + texts["summary.md"]


def strict(text: str) -> Any:
    """JSON as a strict reader reads it."""

    def refuse(name: str) -> Any:
        raise AssertionError(name)

    value = json.loads(text, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()
    return value


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\u2028"])
def test_every_json_file_is_strict_json(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = outputs(tmp_path, repeating(text), monkeypatch)
    for name in ("report.json", "failures.har", "known.json"):
        assert strict(texts[name])
    for name in (name for name in texts if name.startswith("ledger")):
        assert [strict(line) for line in texts[name].splitlines()]
    value = Redactor({})({"a": [float("nan"), float("-inf"), 1.5], "\ud800": "\udfff"})
    assert strict(json.dumps(value)) == {"a": ["nan", "-inf", 1.5], "?": "?"}


def test_a_command_with_control_characters_is_quoted_for_a_shell() -> None:
    from contracts.http.exchange import ClientRequest

    sent = ClientRequest("POST", "/v1/threads", None, "a\x1b'\\##[x]\nspace_1", {"X": "\u202e"})
    line = as_curl(sent, {"space_1": "SPACE_1"})
    assert line.endswith(r"""--data-raw $'a\x1b\'\\#\x23[x]\n'"$SPACE_1"$''""")
    assert r"-H $'X: \u202e'" in line
