"""A mock that is killed at random moments, and clients that know what they were told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from tests.running import FROZEN, ROOT

View = dict[str, Any]
"""What a sandbox is known to hold: kind and id -> what is told of it."""
PROGRAM = (
    "import sys; from mockserver.persistence import kept_sandbox; kept_sandbox.SMALLEST = 30_000; "
    "from mockserver.__main__ import main; sys.argv[0] = 'mockserver'; main()"
)
"""The mock, with snapshots of small logs, too."""
CLIENTS = 3
"""Clients that share a sandbox."""
KEY = {"X-API-Key": "ak_demo_owner"}
ORGANIZATION = "org_abc123"


class Served:
    """One process of the mock over the directory."""

    def __init__(self, folder: Path, *flags: str) -> None:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("MOCK_", "FREDDY_"))
        }
        command = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--quiet", "--freeze", FROZEN]
        self.process = subprocess.Popen(
            [*command, "--persist", str(folder), *flags],
            cwd=ROOT,
            env=clean,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.said()
        self.port: int = json.loads(line)["port"]

    def end(self, number: int) -> str:
        """End it with a signal: what it has said."""
        self.process.send_signal(number)
        return self.said()

    def said(self) -> str:
        """What it said on stderr, after it has ended."""
        _, errors = self.process.communicate(timeout=60)
        return errors.decode()


class Ended(Exception):
    """The mock was killed before it answered."""


class Client:
    """Asks in one sandbox, over one connection."""

    def __init__(self, port: int, sandbox: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {**KEY, "X-Mock-Sandbox": sandbox, "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[Any, str]:
        """Body of a success, and the id of the request; Ended without an answer."""
        data = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, data, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise Ended from error
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]!r}")
        is_json = "json" in answer.headers.get("content-type", "")
        return (json.loads(content) if is_json and content else None), answer.headers["x-request-id"]

    def __del__(self) -> None:
        self._connection.close()

    def _rows(self, kind: str) -> Iterator[Any]:
        path = f"/__admin/records/{kind}?limit=1000"
        page: Any = {"next_cursor": ""}
        while page["next_cursor"] is not None:
            page = self("GET", path + (f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""))[0]
            yield from page["records"]

    def view(self) -> View:
        """What the sandbox holds."""
        view: View = {}
        for kind, told in (("spaces", "name"), ("threads", "message_count"), ("links", None)):
            for row in self._rows(kind):
                view[f"{kind}:{row['id']}"] = True if told is None else row["record"][told]
        for fault in self("GET", "/__admin/faults")[0]["faults"]:
            view[f"faults:{fault['id']}"] = fault["matched"]
        view["clock"] = self("GET", "/__admin/clock")[0]["now"]
        return view


class Known:
    """What the clients of one sandbox were told, and what they were not answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.view: View = {}
        self.pending: list[Callable[[str, Any, Any], bool]] = []
        """Of each call without an answer: whether it explains a difference."""
        self.others: list[View] = []
        """What the sandbox may hold instead."""
        self.ids: set[str] = set()
        self.saved: tuple[Any, View] | None = None
        self.twice: list[str] = []

    def given(self, id_: str) -> None:
        """An id that must never be given again."""
        with self.lock:
            if id_ in self.ids:
                self.twice.append(id_)
            self.ids.add(id_)

    def differences(self, found: View) -> list[str]:
        """What is lost or invented; then what was found is what is known."""
        pending = list(self.pending)
        wrong = [f"{self.name}: {id_} was given twice" for id_ in self.twice]
        if not any(found == other for other in self.others):
            for key in sorted({*self.view, *found}):
                old, new = self.view.get(key), found.get(key)
                if old == new:
                    continue
                explained = next((each for each in pending if each(key, old, new)), None)
                if explained is None:
                    wrong.append(f"{self.name}: {key} was {old!r}, is {new!r}")
                else:
                    pending.remove(explained)
        self.view, self.pending, self.others, self.twice = found, [], [], []
        return wrong


class Worker(threading.Thread):
    """One client that works until the mock is gone."""

    def __init__(self, port: int, known: Known, seed: int, place: int, *, alone: bool) -> None:
        """`place`: among the clients of its sandbox."""
        super().__init__(daemon=True)
        self._place = place
        self._ask, self._known, self._dice, self._alone = Client(port, known.name), known, Random(seed), alone
        self.calls = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Call after call."""
        try:
            while True:
                self._dice.choice([*STEPS, *(WHOLE if self._alone else ())])(self)
                self.calls += 1
        except Ended:
            pass
        except BaseException as error:
            self.failure = error

    def _mine(self, kind: str) -> list[str]:
        """Ids that no other client of the sandbox changes."""
        with self._known.lock:
            ids = sorted(key.partition(":")[2] for key in self._known.view if key.startswith(f"{kind}:"))
        return [id_ for id_ in ids if self._alone or crc32(id_.encode()) % CLIENTS == self._place]

    def _do(
        self,
        method: str,
        path: str,
        body: Any,
        explains: Callable[[str, Any, Any], bool],
        told: Callable[[Any], View],
    ) -> None:
        """Make a call; with an answer, `told` is known, else it may have been made."""
        try:
            answer, request_id = self._ask(method, path, body)
        except Ended:
            with self._known.lock:
                self._known.pending.append(explains)
            raise
        except AssertionError as error:
            if "404" in str(error) or "409" in str(error):  # another client was first
                return
            raise
        with self._known.lock:
            for key, value in told(answer).items():
                if value is None:
                    self._known.view.pop(key, None)
                else:
                    self._known.view[key] = value
        if not self._alone:
            self._known.given(request_id)

    def space(self) -> None:
        """Create a space."""
        name = f"N{self._dice.random()}"

        def told(answer: Any) -> View:
            return {f"spaces:{answer['id']}": name}

        body = {"organization_id": ORGANIZATION, "name": name}
        self._do("POST", "/v1/spaces/", body, lambda _, old, new: old is None and new == name, told)

    def thread(self) -> None:
        """Create a thread."""
        self._do(
            "POST",
            "/v1/threads",
            {"organization_id": ORGANIZATION},
            lambda key, old, new: key.startswith("threads:") and old is None and new == 0,
            lambda answer: {f"threads:{answer['id']}": 0},
        )

    def rename(self) -> None:
        """Rename a space of one's own."""
        if spaces := self._mine("spaces"):
            key, name = f"spaces:{self._dice.choice(spaces)}", f"R{self._dice.random()}"
            path = f"/v1/spaces/{key.partition(':')[2]}"
            self._do(
                "PATCH",
                path,
                {"name": name},
                lambda k, _, new: k == key and new == name,
                lambda _: {key: name},
            )

    def link(self) -> None:
        """Add a thread to a space, or remove it."""
        spaces, threads = self._mine("spaces"), self._mine("threads")
        if not spaces or not threads:
            return
        space, thread = self._dice.choice(spaces), self._dice.choice(threads)
        key, path = f"links:{space}~{thread}", f"/v1/spaces/{space}/threads/{thread}"
        with self._known.lock:
            is_there = key in self._known.view
        method, value = ("DELETE", None) if is_there else ("POST", True)
        self._do(method, path, None, lambda k, _, new: k == key and new == value, lambda _: {key: value})

    def stream(self) -> None:
        """Ask a question in a thread, and read the whole answer."""
        if threads := self._mine("threads"):
            id_ = self._dice.choice(threads)
            body = {"inputs": [{"role": "user", "content": "x" * 200}], "thread_id": id_, "stream": True}
            key = f"threads:{id_}"
            self._do(
                "POST",
                "/v1/model/response",
                body,
                lambda k, old, new: k == key and new == (old or 0) + 2,
                lambda _: {key: self._known.view.get(key, 0) + 2},
            )

    def fault(self) -> None:
        """Add a rule that nothing matches, or remove one."""
        faults = self._mine("faults")
        if len(faults) > 5:
            key = f"faults:{self._dice.choice(faults)}"
            path = f"/__admin/faults/{key.partition(':')[2]}"
            self._do("DELETE", path, None, lambda k, _, new: k == key and new is None, lambda _: {key: None})
            return
        self._do(
            "POST",
            "/__admin/faults",
            {"operation": "getThread", "error": {"status": 503}},
            lambda k, old, _: k.startswith("faults:") and old is None,
            lambda answer: {f"faults:{each['id']}": 0 for each in answer["faults"]},
        )

    def clock(self) -> None:
        """Advance the clock."""
        self._do(
            "PUT",
            "/__admin/clock",
            {"advance": 1},
            lambda k, *_: k == "clock",
            lambda answer: {"clock": answer["now"]},
        )

    def look(self) -> None:
        """Read, so that request ids are given."""
        self._do("GET", f"/v1/spaces/?organization_id={ORGANIZATION}", None, lambda *_: False, lambda _: {})

    def keep(self) -> None:
        """Export the state; the snapshots of the mock are no part of this."""
        document = self._ask("GET", "/__admin/state")[0]
        self._known.saved = {**document, "snapshots": {}}, deepcopy(self._known.view)

    def load(self) -> None:
        """Import what was exported."""
        if self._known.saved is not None:
            document, view = self._known.saved
            self._whole("PUT", "/__admin/state", document, deepcopy(view))

    def reset(self) -> None:
        """Go back to the start."""
        self._whole("POST", "/__admin/reset", None, {"clock": FROZEN})

    def _whole(self, method: str, path: str, body: Any, after: View) -> None:
        try:
            self._ask(method, path, body)
        except Ended:
            self._known.others.append(after)
            raise
        self._known.view = after


STEPS = [
    Worker.space,
    Worker.thread,
    Worker.thread,
    Worker.link,
    Worker.link,
    Worker.link,
    Worker.rename,
    Worker.stream,
    Worker.stream,
    Worker.fault,
    Worker.look,
]
WHOLE = [Worker.clock, Worker.keep, Worker.load, Worker.reset]


class Killing:
    """Sixteen clients, of which twelve share four sandboxes."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self._dice = folder, Random(seed)
        shared = [Known(f"shared-{number}") for number in range(4)]
        self._alone = [Known(f"alone-{number}") for number in range(4)]
        self._known = [*shared, *self._alone]
        self.calls = 0
        self.ready_seconds: list[float] = []

    def start(self) -> None:
        """Make the sandboxes: one thing in each, so that its start is empty but for the scenario."""
        served = Served(self.folder)
        ask = Client(served.port, "default")
        for known in self._known:
            ask("POST", "/__admin/sandboxes", {"id": known.name, "scenario": "empty"})
            known.view = Client(served.port, known.name).view()
        served.end(signal.SIGTERM)

    def round(self, number: int = signal.SIGKILL) -> list[str]:
        """Start, let the clients work, kill it, start again: what was lost or invented."""
        served = Served(self.folder)
        workers = [
            Worker(served.port, known, self._dice.randrange(10**9), place, alone=known in self._alone)
            for known in self._known
            for place in range(1 if known in self._alone else CLIENTS)
        ]
        for worker in workers:
            worker.start()
        time.sleep(self._dice.uniform(0.02, 0.8))
        said = served.end(number)
        for worker in workers:
            worker.join(60)
        wrong = [f"{worker.failure!r}" for worker in workers if worker.failure is not None]
        self.calls += sum(worker.calls for worker in workers)
        begun = time.perf_counter()
        again = Served(self.folder)
        self.ready_seconds.append(time.perf_counter() - begun)
        for known in self._known:
            wrong += known.differences(Client(again.port, known.name).view())
        # What it said when it recovered, and whether anything was set aside.
        more = again.end(signal.SIGTERM if self._dice.random() < 0.3 else signal.SIGKILL)
        return [*wrong, *(line for line in (said + more).splitlines() if "recovered" in line)]
