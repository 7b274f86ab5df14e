"""The work for a request is in proportion to its size, whatever it holds and wherever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from typing import Any, cast

import orjson
import pytest

from mockserver.admin import equal_json
from mockserver.app import MockServer, create_app
from mockserver.http.redaction import Mask, masked
from mockserver.openapi.schemas import Schema
from mockserver.settings import Settings
from tests.growth import grows_too_fast

Environ = dict[str, Any]
OWNER = "ak_demo_owner"
ATOMS = ["a", "-eyJ", "eyJ-", "sk_", "api_key=", "a=a&", "a, ", '"', '\\"', "/", "%61", "{", "é", ". ", "ak_"]
HEADERS = [
    *[
        "HOST",
        "ORIGIN",
        "AUTHORIZATION",
        "X_API_KEY",
        "X_MOCK_SANDBOX",
        "X_MOCK_FAULT",
        "X_MOCK_DELAY",
        "PREFER",
    ],
    *["COOKIE", "LAST_EVENT_ID", "X_REQUEST_ID", "SEC_FETCH_SITE", "ACCESS_CONTROL_REQUEST_HEADERS"],
    *["FORWARDED", "X_FORWARDED_PREFIX", "ACCEPT"],
]
FIRST, LAST = 8_000, 64_000
"""Characters of a text."""


@pytest.fixture(scope="module")
def app() -> MockServer:
    return create_app(Settings(quiet=True, cors_origins=("https://docs.example",), journal_entries=20))


def ask(app: MockServer, environ: Environ) -> None:
    """Send it, read the whole answer, and what the journal says of it."""
    journal = {"REQUEST_METHOD": "GET", "PATH_INFO": "/__admin/requests", "QUERY_STRING": "limit=1"}
    for each in (environ, journal | {"HTTP_HOST": "localhost"}):
        whole = {"QUERY_STRING": "", "wsgi.input": BytesIO(cast("bytes", each.get("body", b""))), **each}
        b"".join(app.wsgi_app(whole, lambda *_: lambda _: None))


def get(**environ: str) -> Environ:
    """A GET of the owner's threads."""
    start = {"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/threads", "HTTP_X_API_KEY": OWNER}
    return start | {"HTTP_HOST": "localhost"} | environ


def _in_path(prefix: str, text: str) -> Environ:
    return get(PATH_INFO=(prefix + text).encode().decode("latin-1"))


def _in_header(path: str, name: str, text: str) -> Environ:
    return get(PATH_INFO=path) | {f"HTTP_{name}": text}


def _of_size(of: Callable[[str], Any], atom: str, size: int) -> Any:
    """A text of this many characters, repeating `atom`, and where it is put."""
    return of(atom * (size // len(atom)))


def texts() -> Iterator[tuple[str, Callable[[str], Environ]]]:
    """Each place of a request that can hold a text."""
    for prefix in ("/", "/v1/threads/", "/__admin/", "/__sandbox/", "/__admin/snapshots/"):
        yield (
            f"path {prefix}",
            partial(_in_path, prefix),
        )
    yield "query", lambda text: get(QUERY_STRING=text)
    yield "limit", lambda text: get(QUERY_STRING=f"limit={text}")
    yield "cursor", lambda text: get(QUERY_STRING=f"after={text}")
    yield "method", lambda text: get(REQUEST_METHOD=text)
    yield "content type", lambda text: post(b"{}") | {"CONTENT_TYPE": text}
    yield "body", lambda text: post(text.encode())
    yield "string", lambda text: post(orjson.dumps({"organization_id": "org_abc123", "title": text}))
    yield (
        "question",
        lambda text: post(
            orjson.dumps({"inputs": [{"role": "user", "content": text}]}), "/v1/model/response"
        ),
    )
    for name in HEADERS:
        for path in ("/v1/threads", "/v1/threads/", "/__admin/clock"):
            yield (
                f"{name} {path}",
                partial(_in_header, path, name),
            )


def post(body: bytes, path: str = "/v1/threads", **headers: str) -> Environ:
    """A POST by the owner."""
    length = {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json", "body": body}
    return get(REQUEST_METHOD="POST", PATH_INFO=path) | length | headers


@pytest.mark.parametrize(("place", "of"), [*texts()], ids=[name for name, _ in texts()])
def test_a_long_text_takes_work_in_proportion(
    app: MockServer, place: str, of: Callable[[str], Environ]
) -> None:
    for atom in ATOMS:
        found = grows_too_fast(partial(ask, app), partial(_of_size, of, atom), FIRST, LAST)
        assert found is None, f"{place} {atom!r}: {found}"


BODIES: dict[str, Callable[[int], Any]] = {
    "wrong items": lambda n: {"inputs": [1] * n},
    "items without their fields": lambda n: {"inputs": [{}] * n},
    "one wrong item at the end": lambda n: {"inputs": [{"role": "user", "content": "a"}] * n + [1]},
    "wrong items behind good ones": lambda n: {"inputs": [{"role": "user", "content": "a"}] * n + [1] * n},
    "unknown fields": lambda n: {f"f{number}": 1 for number in range(n)},
    "wrong pairs": lambda n: {"metadata": {f"f{number}": 1 for number in range(n)}},
    "long pairs": lambda n: {"metadata": {f"f{number}": "x" for number in range(n)}},
    "a deep array": lambda n: nested(n),
    "deep items": lambda n: b'{"inputs": [' + b",".join([nested(200)] * (n // 200)) + b"]}",
}


def nested(levels: int) -> bytes:
    """An array in an array, so many levels deep."""
    return b"[" * levels + b"]" * levels


@pytest.mark.slow
@pytest.mark.parametrize("handling", ["strict", "lenient"])
@pytest.mark.parametrize("name", BODIES)
def test_a_wrong_body_takes_work_in_proportion(app: MockServer, name: str, handling: str) -> None:
    def of(size: int) -> Environ:
        body = BODIES[name](size)
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return post(data, "/v1/model/response", HTTP_PREFER=f"handling={handling}")

    assert grows_too_fast(partial(ask, app), of, 4_000, 8_000) is None


@pytest.mark.parametrize(
    ("value", "first", "count"),
    [
        (["x"] * 100_000, "0", 1001),
        ([1] * 30_000 + ["x"] * 50_000, "30000", 1001),
        ([1] * 30_000 + ["x"], "30000", 1),
        ([[1] * 9_000, ["x"]], "1.0", 1),
        ([{str(n): 1 for n in range(9_000)} | {"last": "x"}], "0.last", 1),
        ([1] * 30_000, None, 0),
    ],
)
def test_of_many_errors_the_first_thousand_are_listed_wherever_they_begin(
    value: Any, first: str | None, count: int
) -> None:
    whole = {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/many"}, {"$ref": "#/$defs/named"}]}
    many = {"type": "array", "items": whole}
    named = {"type": "object", "additionalProperties": {"type": "integer"}}
    schema = Schema({**many, "$defs": {"many": many, "named": named}}, {})
    found = schema.errors(value, "body")
    assert (found[0].name if found else None, len(found)) == (first, count)


def tree(levels: int, leaf: int) -> Any:
    """A binary tree of arrays."""
    return leaf if not levels else [tree(levels - 1, leaf), tree(levels - 1, leaf + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("extra", [False, True])
def test_json_in_any_order_is_compared_with_work_in_proportion(extra: bool) -> None:
    """What needs more than that is refused."""
    values: list[Callable[[int], Any]] = [
        lambda size: (tree(size.bit_length(), 0), tree(size.bit_length(), 1)),
        lambda size: ([{"a": n} for n in range(size)], [{"a": n + 1} for n in range(size)]),
        lambda size: ([[n, [0]] for n in range(size)], [[n, [1]] for n in range(size)]),
    ]

    def compare(pair: Any) -> None:
        with suppress(equal_json.OutOfBudget):
            equal_json.same(*pair, any_order=True, extra=extra, budget=equal_json.Budget(100_000))

    for value in values:
        first = 4_000 if extra else 1_000  # beyond the budget, or without one
        assert grows_too_fast(compare, value, first, 8_000) is None


def test_a_comparison_that_is_too_long_is_a_422_that_says_so(app: MockServer) -> None:
    client = app.test_client()
    body = orjson.dumps({"inputs": [{"a": n} for n in range(1200)]})
    client.post("/v1/model/response", data=body, headers={"X-API-Key": OWNER})
    wanted = {"inputs": [{"a": n + 1} for n in range(1200)]}
    matcher = {"equalToJson": wanted, "ignoreArrayOrder": True, "ignoreExtraElements": True}
    answer = client.post("/__admin/requests/find", json={"bodyPatterns": [matcher]})
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["name"] == "bodyPatterns.0.equalToJson"
    assert "takes more than 1000000 comparisons" in error["message"]


def test_a_template_of_a_path_takes_work_in_proportion(app: MockServer) -> None:
    ask(app, get(PATH_INFO="/" + "x" * 10_000))

    def of(size: int) -> Environ:
        template = "/" + "{a}x" * (size // 4) + "y"
        return post(orjson.dumps({"urlPathTemplate": template}), "/__admin/requests/count")

    assert grows_too_fast(partial(ask, app), of, 16, 2_000) is None


def test_secrets_are_masked_with_work_in_proportion() -> None:
    masks = [Mask([f"key_{n}_{'x' * 30}" for n in range(count)]) for count in (5, 300)]
    for atom in ATOMS:
        for work in (*[mask.text for mask in masks], masks[0].end, lambda text: masked(text, [text[-50:]])):
            found = grows_too_fast(work, partial(_of_size, str, atom), FIRST, LAST)
            assert found is None, f"{atom!r}: {found}"
