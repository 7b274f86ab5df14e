"""Clients of a mock that is killed: each knows what it was told, and what it was not answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any
from zlib import crc32

from tests.killing_known import Client, Ended, Known, View
from tests.running import FROZEN

CLIENTS = 3
"""Clients that share a sandbox."""
ORGANIZATION = "org_abc123"


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
