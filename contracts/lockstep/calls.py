"""Calls of an operation, right and wrong, with the words of openapi.yaml and the things of the world."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from random import Random
from typing import Any

from contracts.checks.spec import DocumentedOperation, OpenApiDocument
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.lockstep.api import KINDS, LINKED, REFUSED, Step
from contracts.lockstep.words import TOPICS, WRONG, Words
from contracts.lockstep.world import World, label_of

BRANCHES = ("edit_message_id", "previous_message_id", "previous_response_id")
"""Fields that delete messages before a question."""
TICKS = (0, 0, 0, 1, 10, 10, 60)
"""Seconds before a step: none lets times tie."""
CALLER_WEIGHTS = (8, 2, 2, 1, 1, 1.5, 1, 1)
BODIES = ('{"name": "a", "name": "b"}', "{", "[]", '"x"', "null", '\ufeff{"name": "a"}')
TYPES = ("text/plain", "application/json; charset=utf-8", "application/vnd.api+json", "")
TEXTS = ("0", "101", "-1", "1.0", "abc", "", " ", "+1")
"""Texts that most parameters refuse."""


class Calls:
    """Makes calls in one sequence."""

    def __init__(
        self, pick: Random, contract: OpenApiDocument, callers: Sequence[str], world: World, *, on_mock: bool
    ) -> None:
        self._pick, self._contract, self._callers, self._world = pick, contract, callers, world
        self._on_mock = on_mock
        self.words = Words(pick, world.ref, contract)
        self._count = 0

    def uid(self) -> str:
        """Name of the next step, which labels are made of."""
        self._count += 1
        return f"s{self._count}"

    def bare(self, operation: str, role: str) -> Step:
        """Call without anything."""
        return {"op": operation, "uid": self.uid(), "role": role, "path": {}, "query": {}}

    def call(self, operation: DocumentedOperation) -> Step:
        """Call by any caller, mostly one that succeeds."""
        step = self._made(operation, sane=self._pick.random() < 0.7)
        pick, chance = self._pick, self._pick.random()
        if chance < 0.05:
            self._spoil(operation, step)
        elif chance < 0.07:
            step["role"] = pick.choice([None, "wrong", *(REFUSED if self._on_mock else ())])
        elif chance < 0.12 and self._on_mock:
            step |= {"as": pick.choice(self._callers), "role": pick.choice([None, step["role"]])}
        return step

    def good(self, operation: DocumentedOperation) -> Step:
        """Call that should succeed."""
        step = self._made(operation, sane=True)
        self._relate(step, share=1.0)
        return {name: value for name, value in step.items() if name not in ("walk", "unsettled")}

    def _made(self, operation: DocumentedOperation, *, sane: bool) -> Step:
        pick = self._pick
        self._world.sane = sane
        self.words.beyond = 0.0 if sane else 0.06
        step = self.bare(operation.id, pick.choices(self._callers, CALLER_WEIGHTS[: len(self._callers)])[0])
        step["tick"] = pick.choice(TICKS)
        self._parameters(operation, step)
        self._relate(step)
        if operation.id in LINKED and self._world.live.get("link") and pick.random() < 0.7:
            step |= {"link": self._world.ref("link"), "tick": pick.choice((0, 60, 3000, 3600))}
        if operation.raw.get("requestBody"):
            self._body(operation, step)
        if operation.id in MODEL_OPERATIONS and self._on_mock and pick.random() < 0.25:
            step["unsettled"] = True
        if operation.id.startswith("list") and pick.random() < 0.5:
            step["walk"] = pick.choice([True, "growing"])
        return step

    def _parameters(self, operation: DocumentedOperation, step: Step) -> None:
        pick = self._pick
        share = pick.choice([0.0, 0.3, 0.6])
        for parameter in self._contract.parameters(operation):
            name, place = parameter["name"], parameter["in"]
            if place == "path":
                step["path"][name] = self._world.ref(KINDS.get(name, ""))
            elif place == "query" and (parameter.get("required") or pick.random() < share):
                value = self._query_value(operation, name, parameter.get("schema", {}), step)
                step["query"] |= {} if value is None else {name: value}

    def _query_value(self, operation: DocumentedOperation, name: str, schema: Any, step: Step) -> Any:
        pick, world = self._pick, self._world
        if name in ("after", "before"):
            kind, of = "thread" if operation.id == "listThreads" else "message", label_of(step, "thread_id")
            inside = [each[kind] for each in world.together if kind in each and each.get("thread") == of]
            if kind == "message" and inside and pick.random() < 0.8:
                return {"$": pick.choice(inside[-8:])}
            return world.ref(kind) if world.live.get(kind) else None
        if name == "cursor":
            if pick.random() < 0.1:
                return pick.choice(TEXTS)
            return world.ref("cursor") if world.live.get("cursor") else None
        if name in ("limit", "take", "page_size") and pick.random() < 0.9:
            return pick.choice([1, 2, 2, 3, 100])
        if name in ("skip", "page") and pick.random() < 0.9:
            return pick.choice([0, 1, 1, 2])
        value = self.words.value(schema, name)
        return [value, self.words.value(schema, name)] if pick.random() < 0.02 else value

    def _relate(self, step: Step, share: float | None = None) -> None:
        """Mostly name things that were named together, as who made the first of them."""
        pick, world = self._pick, self._world
        names = [name for name in step["path"] if name != "organization_id"]
        if len(names) > 1 and pick.random() < (share or (0.7 if world.sane else 0.3)):
            pair = world.pair([KINDS.get(name, "") for name in names])
            step["path"] |= {n: {"$": label} for n, label in zip(names, pair or (), strict=False)}
        owner = world.maker.get(label_of(step, names[0])) if names else None
        if owner in self._callers and pick.random() < (share or (0.9 if world.sane else 0.3)):
            step["role"] = owner
        for place in ("path", "query"):
            if "organization_id" in step[place] and pick.random() < 0.9:
                step[place]["organization_id"] = {"$": self._organization(step)}

    def _organization(self, step: Step) -> str:
        return "org:other" if step["role"] == "foreign" and self._on_mock else "org:own"

    def _body(self, operation: DocumentedOperation, step: Step) -> None:
        pick = self._pick
        media = self._contract.resolved(operation.raw["requestBody"])["content"]
        text = " ".join(pick.choices(TOPICS, k=6))
        if "application/json" not in media:
            step["form"] = [
                pick.choice(["a.txt", "b.md", "Ä.txt"]),
                text,
                pick.choice(["text/plain", "text/markdown"]),
            ]
            return
        body = step["body"] = self.words.value(media["application/json"]["schema"], "body")
        if "organization_id" in body and pick.random() < 0.9:
            body["organization_id"] = {"$": self._organization(step)}
        if operation.id == "createResponse":
            self._question(body)
            if self._world.sane and body.get("thread_id"):
                step["role"] = self._world.maker.get(body["thread_id"].get("$"), step["role"])
        if operation.id == "uploadBase64Files":
            content = base64.b64encode(text.encode()).decode()
            body["files"] = [
                {"filename": pick.choice(["a.txt", "b.md"]), "content": content, "mime_type": "text/plain"}
            ]

    def _question(self, body: dict[str, Any]) -> None:
        """Mostly a question in a thread, with what was found."""
        pick, world = self._pick, self._world
        branch = {name: body.pop(name, None) for name in BRANCHES}
        if pick.random() < 0.9:
            body.pop("temperature", None)
            body.pop("top_p", None)
            body["inputs"] = [self._input() for _ in range(pick.choice([1, 1, 2, 3]))]
        if world.live.get("thread") and pick.random() < 0.7:
            body["thread_id"] = world.ref("thread")
        if pick.random() < 0.6:
            body["include"] = ["file_search.results"]
        if pick.random() < 0.1:
            body |= {name: value for name, value in branch.items() if value}
        pairs = [each for each in world.together if "message" in each and "thread" in each]
        if pairs and pick.random() < 0.2:
            pair, other = pick.choice(pairs), pick.choice(pairs)
            message = pick.choice([pair, pair, other])["message"]
            body |= {"thread_id": {"$": pair["thread"]}, pick.choice(BRANCHES[:2]): {"$": message}}

    def _input(self) -> dict[str, Any]:
        pick = self._pick
        text = " ".join(pick.choices(TOPICS, k=3))
        blocks = [{"type": "text", "text": text}, {"type": "text", "text": pick.choice(TOPICS)}]
        role = pick.choice(["user", "user", "user", "system", "assistant"])
        return {"role": role, "content": blocks if pick.random() < 0.2 else text}

    def _spoil(self, operation: DocumentedOperation, step: Step) -> None:
        """Make a request wrong in one place."""
        pick, body, chance = self._pick, step.get("body"), self._pick.random()
        if isinstance(body, dict) and chance < 0.6:
            name = pick.choice([*body, "unknown_field"])
            step["body"] = {**body, name: pick.choice(WRONG)}
            if chance < 0.2:
                del step["body"][name]
        elif body is not None and chance < 0.75:
            step["headers"] = {"Content-Type": pick.choice(TYPES)}
            step["body"] = pick.choice([body, pick.choice(BODIES)])
        elif step["query"] and chance < 0.9:
            step["query"][pick.choice([*step["query"]])] = pick.choice(TEXTS)
        elif operation.method == "get":
            step["method"] = pick.choice(["PUT", "HEAD", "PATCH", "OPTIONS"])
        elif operation.method == "post":
            step["raw"] = operation.path.rstrip("/") if operation.path.endswith("/") else operation.path + "/"
