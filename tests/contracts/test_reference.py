"""The mock against an independent model: spaces, threads, links and access after random calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from contracts.http.credentials import DEMO, DEMO_ORGANIZATION
from contracts.http.exchange import ClientRequest, ClientResponse
from contracts.http.target import InProcess
from contracts.verdict.reproduction import fewest
from tests.contracts.model_mutants import BUGS, Mutant, fresh
from tests.contracts.reference import CREATOR, ExpectedStatus, Model, Space, pages

USERS = {role: f"usr_{role}" for role in ("editor", "viewer", "outsider")} | {CREATOR: "usr_abc123"}
THREADS = 7
PATCHES: tuple[dict[str, Any], ...] = (
    {"name": "another"},
    {"name": "a third"},
    {"description": "Ähnlich wie 日本 🚀"},
    {"description": None},
    {"access_mode": "organization"},
    {"access_mode": "private"},
    {"access_users": ("viewer",)},
    {"access_users": ("viewer", "outsider"), "name": "granted"},
    {"editable_by_users": ("editor",)},
    {"editable_by_users": ("editor", "viewer")},
    {},
)


class Pair:
    """The mock and the model, which take the same calls."""

    def __init__(self, seed: int) -> None:
        self.pick, self.target, self.model = Random(seed), InProcess(fresh()), Model()
        self.ids: dict[str, str] = {}
        self.changes: dict[str, Any] = {}

    def ask(self, method: str, path: str, role: str, body: Any = None) -> ClientResponse:
        return self.target.send(ClientRequest(method, path, role, body), DEMO[role])

    def new(self, kind: str, path: str, body: dict[str, Any]) -> str:
        name = f"{kind}{len(self.ids)}"
        answer = self.ask("POST", path, CREATOR, {"organization_id": DEMO_ORGANIZATION, **body})
        assert answer.status == 201
        self.ids[name] = answer.body["id"]
        return name

    def new_space(self) -> None:
        given: dict[str, Any] = {"editable_by_users": ("editor",), "access_users": ("viewer",)}
        name = self.new("S", "/v1/spaces/", {"name": "space", "description": "first", **fields_sent(given)})
        self.model = self.model.create_space(name, Space("space", "first", **given))[0]

    def new_thread(self) -> None:
        self.model = self.model.create_thread(self.new("T", "/v1/threads", {}))[0]

    def space(self) -> str:
        return self.pick.choice([name for name in self.ids if name[0] == "S"])

    def thread(self) -> str:
        return self.pick.choice([name for name in self.ids if name[0] == "T"])

    def call(self) -> tuple[ClientResponse, tuple[Model, ExpectedStatus]]:
        """One call: the mock's answer, and the model's."""
        pick, role = self.pick, self.pick.choice([CREATOR, CREATOR, *USERS])
        space, thread = self.space(), self.thread()
        inside = self.model.spaces[space].threads if space in self.model.spaces else ()
        path, link = f"/v1/spaces/{self.ids[space]}", f"/v1/spaces/{self.ids[space]}/threads/"
        match pick.choices(["add", "remove", "patch", "delete space", "delete thread"], [10, 4, 6, 0.3, 0.5])[
            0
        ]:
            case "add":
                return self.ask("POST", link + self.ids[thread], role), self.model.add(role, space, thread)
            case "remove":
                thread = pick.choice(inside or (thread,))
                return self.ask("DELETE", link + self.ids[thread], role), self.model.remove(
                    role, space, thread
                )
            case "patch":
                changes = self.changes = pick.choice([*PATCHES, self.changes])
                answer = self.ask("PATCH", path, role, fields_sent(changes))
                return answer, self.model.patch(role, space, changes)
            case "delete space":
                return self.ask("DELETE", path, role), self.model.delete_space(role, space)
            case _:
                answer = self.ask("DELETE", f"/v1/threads/{self.ids[thread]}", role)
                return answer, self.model.delete_thread(role, thread)

    def differences(self) -> Iterator[str]:
        """Where the state that the roles read is not the model's."""
        for name in [each for each in self.ids if each[0] == "S"]:
            for role in USERS:
                answer, expected = (
                    self.ask("GET", f"/v1/spaces/{self.ids[name]}", role),
                    self.model.read(role, name),
                )
                if answer.status != expected.status:
                    yield f"{role} reads {name}: {answer.status}, not {expected.status}"
            if name in self.model.spaces:
                yield from self._space(name)
        for name in self.model.threads:
            found = self.ask("GET", f"/v1/threads/{self.ids[name]}", CREATOR).fields.get("space_ids")
            if Counter(found) != Counter(self.ids[each] for each in self.model.spaces_of(name)):
                yield f"{name} is in {found}"

    def _space(self, name: str) -> Iterator[str]:
        space, path = self.model.spaces[name], f"/v1/spaces/{self.ids[name]}"
        shown = self.ask("GET", path, CREATOR).fields
        if (shown.get("name"), shown.get("description")) != (space.name, space.description):
            yield f"{name} is {shown}"
        limit, cursor = self.pick.choice([1, 2, 3, 5]), ""
        for part, has_more in pages(space.threads, limit):
            page = self.ask("GET", f"{path}/threads?limit={limit}{cursor}", CREATOR).fields
            if ([each["id"] for each in page["data"]], page["has_more"]) != (
                [self.ids[t] for t in part],
                has_more,
            ):
                yield f"{name} by {limit} lists {page}, not {part}"
                return
            cursor = f"&cursor={page['next_cursor']}"


def fields_sent(changes: dict[str, Any]) -> dict[str, Any]:
    """Changes with the ids of the users that they name."""
    return {n: [USERS[role] for role in v] if isinstance(v, tuple) else v for n, v in changes.items()}


def first_difference(seed: int, calls: int = 120) -> str:
    """First difference between mock and model; empty if there is none."""
    pair = Pair(seed)
    for _ in range(2):
        pair.new_space()
    for _ in range(THREADS):
        pair.new_thread()
    for _ in range(calls):
        if not pair.model.spaces or pair.pick.random() < 0.05:
            pair.new_space()
        if len(pair.model.threads) < THREADS:
            pair.new_thread()
        answer, (after, expected) = pair.call()
        if answer.status != expected.status:
            return f"{answer.request.method} {answer.request.path}: {answer.status}, not {expected.status}"
        pair.model = after
        if found := next(pair.differences(), ""):
            return found
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_the_mock_behaves_like_an_independent_model(seed: int) -> None:
    assert first_difference(seed) == ""


@pytest.mark.slow
@pytest.mark.parametrize("mutant", BUGS, ids=lambda mutant: mutant.__name__)
def test_the_model_notices_a_bug_of_several_calls(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert any(first_difference(seed) for seed in range(1, 13))


def test_pages_are_slices() -> None:
    assert pages(("a", "b", "c"), 2) == [(("a", "b"), True), (("c",), False)]
    assert pages(("a", "b"), 2) == [(("a", "b"), False)]
    assert pages((), 2) == [((), False)]


def test_steps_are_left_out_while_it_still_happens() -> None:
    steps = tuple((letter,) for letter in "abcdefg")
    assert fewest(steps, lambda some: {("b",), ("f",)} <= set(some)) == (("b",), ("f",))
