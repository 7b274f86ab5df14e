"""listSpaceThreads, 50 threads a page, beside the others; adding threads to a space and taking them out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from typing import Any

from bench import peers
from bench.load import PAGE, Round, client, load, rounds
from bench.rows import Effort, NotAvailable, Result, row, spread
from bench.servers import Server, bare, costed, mock
from mockserver.store.page_cache import MOST

SPACES = 10
"""For the additions; a hundred threads come and go in each. An even number."""
OTHERS = "mock, other pages"
"""Its rounds that ask for more pages by turns than are kept."""


@cache
def _listing(effort: Effort) -> tuple[dict[str, list[Round]], dict[str, str]]:
    """Rounds of every server that there is, and why others are missing."""
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        spec, answer = stack.enter_context(peers.prepared())
        flags = ("--threads", str(effort.threads))
        running = {
            "mock": stack.enter_context(mock(*flags)),
            "bare Flask route": stack.enter_context(bare("flask", answer, effort.threads)),
            "bare WSGI": stack.enter_context(bare("wsgi", answer, effort.threads)),
        }
        for name in peers.PEERS:
            try:
                running[name] = stack.enter_context(peers.serving(name, spec))
            except NotAvailable as error:
                missing[name] = str(error)
        servers = {
            name: costed(server.pid, partial(load, server.url, PAGE, effort.connections))
            for name, server in running.items()
        }
        servers[OTHERS] = _others(running["mock"], effort)
        return rounds(effort, servers), missing


def _spaces(server: Server, count: int, threads: int = 0) -> list[str]:
    """New spaces with so many of the team's threads in each."""
    with client(server.url) as one:
        new = {"organization_id": "org_abc123", "name": "Bench"}
        spaces = [one.must("POST", "/v1/spaces/", new)["id"] for _ in range(count)]
        for space in spaces:
            for thread in range(1, threads + 1):
                one.must("POST", f"/v1/spaces/{space}/threads/thrd_team{thread:03}")
    return spaces


def _others(server: Server, effort: Effort) -> Callable[[int], Round]:
    """The same page of so many spaces that none is kept until its next turn."""
    spaces = _spaces(server, MOST + 1, 60)
    one = partial(load, server.url, "/", effort.connections, script="others.lua", given=spaces)
    return costed(server.pid, one)


def _numbers(found: dict[str, list[Round]]) -> dict[str, Any]:
    return {
        name: {field: spread([getattr(one, field) for one in each])._asdict() for field in Round._fields}
        for name, each in found.items()
    }


def _middle(found: dict[str, list[Round]], name: str, field: str, missing: dict[str, str]) -> float:
    if name not in found:
        raise NotAvailable(f"{name} is {missing.get(name, 'missing')}")
    return spread([getattr(one, field) for one in found[name]]).median


def _ratio(
    found: dict[str, list[Round]], name: str, field: str, missing: dict[str, str], ours: str = "mock"
) -> float:
    """Ours by theirs, of the medians."""
    return _middle(found, ours, field, missing) / _middle(found, name, field, missing)


@row(
    "listing-rate",
    "requests per second, listSpaceThreads, 50 threads a page, all on",
    "5 times Prism (3 at the very least); 0.8 of the bare Flask route",
)
def listing_rate(effort: Effort) -> Result:
    """The mock with everything on, beside servers that answer prepared bytes."""
    found, missing = _listing(effort)
    of_bare = _ratio(found, "bare Flask route", "per_second", missing)
    of_wsgi = _ratio(found, "bare WSGI", "per_second", missing)
    words, met = [f"{of_bare:.2f} of the bare route, {of_wsgi:.2f} of bare WSGI"], of_bare >= 0.8
    for name in peers.PEERS:
        if name in missing:
            words.append(f"{name} {missing[name]}")
            met = met and name != "Prism"
        else:
            ratio = _ratio(found, name, "per_second", missing)
            words.append(f"{ratio:.1f} times {name}")
            met = met and (ratio >= 5 or name != "Prism")
    return Result("; ".join(words), met, {"servers": _numbers(found), "missing": missing})


@row("listing-p99", "p99 of the same", "below Prism's; at most 1.2 times the bare Flask route's")
def listing_p99(effort: Effort) -> Result:
    """The slowest hundredth, of the same rounds."""
    found, missing = _listing(effort)
    ours = _middle(found, "mock", "p99_ms", missing)
    of_bare = _ratio(found, "bare Flask route", "p99_ms", missing)
    text = f"{ours:.1f} ms, {of_bare:.2f} times the bare route's"
    if "Prism" in missing:
        return Result(f"{text}; Prism {missing['Prism']}", None if of_bare <= 1.2 else False, {})
    prism = _ratio(found, "Prism", "p99_ms", missing)
    return Result(f"{text}, {prism:.2f} times Prism's", of_bare <= 1.2 and prism < 1, {})


def _first_half(url: str, spaces: list[str]) -> None:
    """Bring the threads into the first half of the spaces, and out of the others, as pairs.lua begins."""
    with client(url) as one:
        for number, space in enumerate(spaces):
            method = "POST" if number < len(spaces) // 2 else "DELETE"
            for thread in range(1, 101):
                one.ask(method, f"/v1/spaces/{space}/threads/thrd_team{thread:03}")


@row("listing-cpu", "the server's processor time for a request, of the same rounds", "(none)")
def listing_cpu(effort: Effort) -> Result:
    """The figure that other programs on the machine change least."""
    found, missing = _listing(effort)
    if not _middle(found, "mock", "cpu_us", missing):
        raise NotAvailable("this system does not tell in /proc/PID/stat")
    ours = _middle(found, "mock", "cpu_us", missing)
    others = [name for name in found if name not in ("mock", OTHERS)]
    ratios = ", ".join(f"{_ratio(found, name, 'cpu_us', missing):.2f} of {name}" for name in others)
    return Result(f"{ours:.0f} µs; {ratios}", None, {})


@row(
    "listing-others",
    f"the same of {MOST + 1} spaces by turns, so that each page is put together anew",
    "(none)",
)
def listing_others(effort: Effort) -> Result:
    """What it costs where nothing was kept."""
    found, missing = _listing(effort)
    fields = ("per_second", "p99_ms", "cpu_us")
    ratios = [_ratio(found, "bare Flask route", field, missing, OTHERS) for field in fields]
    rate, p99, cpu = (f"{ratio:.2f}" for ratio in ratios)
    return Result(f"{rate} of the bare route's rate, {p99} of its p99, {cpu} of its time", None, {})


@row(
    "writing-rate",
    "addThreadToSpace and removeThreadFromSpace by turns, requests per second",
    "3 times Prism's static POST",
)
def writing_rate(effort: Effort) -> Result:
    """Each request changes the space; Prism answers the example of a POST."""
    with peers.prepared() as (spec, _), mock("--threads", str(effort.threads)) as server:
        spaces = _spaces(server, SPACES)

        def ours(seconds: int) -> Round:
            _first_half(server.url, spaces)
            return load(server.url, "/", effort.connections, seconds, script="pairs.lua", given=spaces)

        with peers.serving("Prism", spec) as prism:
            post = "/v1/spaces/space_abc123/threads/thrd_def456"
            theirs = partial(load, prism.url, post, effort.connections, method="POST")
            found = rounds(effort, {"mock": ours, "Prism": theirs})
    ratio = _ratio(found, "Prism", "per_second", {})
    p99 = _ratio(found, "Prism", "p99_ms", {})
    words = f"{ratio:.1f} times Prism, its p99 {p99:.2f} times Prism's"
    return Result(words, ratio >= 3, {"servers": _numbers(found)})
