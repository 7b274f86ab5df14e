"""Chain of requests as curl commands, with ids from responses in shell variables."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from contracts.http.exchange import BEARER, ClientRequest, ClientResponse
from contracts.http.visible import is_visible, visible
from contracts.verdict.reproduction import returned_ids

_NAMES = {"next_cursor": "CURSOR", "user_id": "USER", "vector_store_id": "STORE", "file_id": "FILE"}
_PREFIXES = {
    "space": "SPACE",
    "thrd": "THREAD",
    "thread": "THREAD",
    "vs": "STORE",
    "msg": "MESSAGE",
    "file": "FILE",
}


def commands(chain: Sequence[ClientResponse]) -> tuple[list[str], dict[str, str]]:
    """Command for each request, and the variable for each id."""
    variables: dict[str, str] = {}
    lines = []
    for n, answer in enumerate(chain):
        command = as_curl(answer.request, variables)
        later = "\n".join(f"{other.request.path}\n{other.request.text}" for other in chain[n + 1 :])
        taken = []
        for where, value in returned_ids(answer):
            if len(value) > 5 and value in later and value not in variables:
                variables[value] = _variable(where, value, variables)
                taken.append((where, variables[value]))
        lines.append(_captured(command, taken))
    return lines, variables


def as_curl(request: ClientRequest, variables: dict[str, str]) -> str:
    """curl command of one request."""
    parts = ["curl -sS" if request.method != "HEAD" else "curl -sS -I"]
    if request.method not in ("GET", "HEAD"):
        parts.append(f"-X {request.method}")
    parts.append(f'"$TARGET{_in_double(request.path, variables)}"')
    headers = {**request.headers}
    if request.role is not None:
        bearer = BEARER.items() <= headers.items()
        name = "Authorization: Bearer" if bearer else "X-API-Key:"
        parts.append(f'-H "{name} $CONTRACTS_{request.role.upper()}_KEY"')
        headers = {n: v for n, v in headers.items() if not bearer or n not in BEARER}
    parts += [f"-H {_in_single(f'{name}: {value}', variables)}" for name, value in headers.items()]
    if request.body is not None:
        if "content-type" not in {name.lower() for name in request.headers}:
            parts.append("-H 'Content-Type: application/json'")
        parts.append(f"--data-raw {_in_single(request.text, variables)}")
    return " ".join(parts)


def _captured(command: str, taken: list[tuple[str, str]]) -> str:
    if not taken:
        return command.replace("curl -sS ", "curl -sS -i ", 1)
    if len(taken) == 1:
        where, name = taken[0]
        return f"{name}=$({command} | jq -r {where})"
    reads = "; ".join(f'{name}=$(jq -r {where} <<<"$ANSWER")' for where, name in taken)
    return f"ANSWER=$({command}); {reads}"


def _variable(where: str, value: str, variables: dict[str, str]) -> str:
    field = where.rpartition(".")[2]
    stem = _NAMES.get(field) or _PREFIXES.get(value.partition("_")[0], "ID")
    return f"{stem}_{1 + sum(name.startswith(stem + '_') for name in variables.values())}"


def _in_double(text: str, variables: dict[str, str]) -> str:
    """Text escaped for double quotes, except for our variables."""
    for sign in '\\"$`':
        text = text.replace(sign, "\\" + sign)
    for value, name in variables.items():
        text = text.replace(value, "${" + name + "}")
    return text


def _in_single(text: str, variables: dict[str, str]) -> str:
    if not is_visible(text):
        return _in_dollar(text, variables)
    quoted = shlex.quote(text)
    for value, name in variables.items():
        quoted = quoted.replace(value, "'\"$" + name + "\"'") if quoted[0] == "'" else quoted
    return quoted


def _in_dollar(text: str, variables: dict[str, str]) -> str:
    """Text with control characters, quoted so that a shell understands the escapes."""
    quoted = visible(text.replace("\\", "\\\\").replace("'", "\\'")).replace("\n", "\\n")
    for value, name in variables.items():
        quoted = quoted.replace(value, "'\"$" + name + "\"$'")
    return f"$'{quoted}'"
