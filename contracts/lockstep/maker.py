"""Maker of sequences: calls of every operation, on what there is, what is gone, and what never was."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from contracts.checks.spec import DocumentedOperation, document
from contracts.http.exchange import MODEL_OPERATIONS
from contracts.lockstep.api import DELETES, KINDS, PRODUCES, RARE
from contracts.lockstep.play import NOTHING, OPERATIONS, Lockstep
from contracts.lockstep.sides import Step
from contracts.lockstep.starts import START_CALLS, STARTS
from contracts.lockstep.words import TOPICS, WRONG, Words

FIXED = ("org", "user", "role", "department")
MOST = 5
"""Things of a kind after which more are rarely created."""
TICKS = (0, 0, 0, 1, 10, 10, 60)
"""Seconds before a step: none lets times tie."""


class Maker:
    """Makes one sequence after another from a seed, and learns from the answers."""

    def __init__(self, seed: int, lockstep: Lockstep, *, may_ask: bool = True) -> None:
        self.pick, self.lockstep = Random(seed), lockstep
        self.operations = [
            each for each in OPERATIONS.values() if may_ask or each.id not in MODEL_OPERATIONS
        ]
        self._needs = {
            each.id: [KINDS[p["name"]] for p in document().parameters(each) if p["in"] == "path"]
            for each in self.operations
        }
        self.worked: Counter[str] = Counter()
        """Operation -> how often it succeeded."""
        self.failing: Counter[str] = Counter()
        """Operation -> sequences that ended at it."""

    def sequence(self, length: int) -> Iterator[Step]:
        """Steps of one sequence; each is taken before the next is asked for."""
        self._begin()
        for step in [*self._start(), *(None for _ in range(length))]:
            made = step or self.step()
            yield made
            self._learn(made)

    def _begin(self) -> None:
        target = self.lockstep.target
        self.callers = target.callers
        self.words = Words(self.pick, self.ref)
        self.count = 0
        self.dead: dict[str, list[str]] = {}
        self.maker: dict[str, str] = {}
        self.together: list[dict[str, str]] = []
        """Things that were named together in a call, by kind."""
        self.live: dict[str, list[str]] = {
            "org": ["org:own"] * 12 + ["org:other", "org:none"],
            "user": [f"user:{role}" for role in self.callers],
            "role": ["role:known"] * 4 + ["role:none"] if target.is_mock else ["role:none"],
            "department": ["department:known"] * 4 + ["department:none"] if target.is_mock else ["role:none"],
        }

    def _start(self) -> list[Step]:
        """Steps of one of the prepared states."""
        calls: Sequence[str] = self.pick.choice([*STARTS.values()])
        return [self._given(*START_CALLS[name]) for name in calls]

    def _given(self, operation: str, path: dict[str, str], body: Any) -> Step:
        step = self._new(OPERATIONS[operation], "owner")
        step["path"] |= {name: {"$": self._latest(KINDS[name], label)} for name, label in path.items()}
        if isinstance(body, dict):
            step["body"] = {
                name: {"$": value[1:]} if isinstance(value, str) and value[:1] == "$" else value
                for name, value in body.items()
            }
        return step

    def _latest(self, kind: str, label: str) -> str:
        return label or (self.live.get(kind) or [f"{kind}:none"])[-1]

    def ref(self, kind: str) -> dict[str, str]:
        """Reference to a thing: mostly one that exists, also a deleted one, one of another kind, or none."""
        pick, live, dead = self.pick, self.live.get(kind) or [], self.dead.get(kind) or []
        chance = pick.random()
        if kind in FIXED:
            return {"$": pick.choice(live)} if chance < 0.97 else {"$": live[0], "+": pick.choice("xX ")}
        if live and chance < 0.3:
            return {"$": live[0]}  # one thing that much happens to
        if live and chance < 0.88:
            return {"$": pick.choice(live[-6:])}
        if dead and chance < 0.94:
            return {"$": pick.choice(dead)}
        if live and chance < 0.96:
            return {"$": live[-1], "+": pick.choice(["x", "X", " ", "0"])}
        others = [
            label for other, labels in self.live.items() if other not in (kind, *FIXED) for label in labels
        ]
        if others and chance < 0.98:
            return {"$": pick.choice(others)}
        return {"$": f"{kind}:none{pick.randrange(3)}"}

    def _new(self, operation: DocumentedOperation, role: str) -> Step:
        self.count += 1
        return {"op": operation.id, "uid": f"s{self.count}", "role": role, "path": {}, "query": {}}

    def step(self) -> Step:
        """Next step."""
        pick = self.pick
        step = self._call(self._operation())
        if "between" not in step and step.get("walk") and pick.random() < 0.3:
            writes = [each for each in self.operations if each.writes and each.id not in MODEL_OPERATIONS]
            step["between"] = self._call(pick.choice(writes))
        return step

    def _operation(self) -> DocumentedOperation:
        most = 1 + max(self.worked.values(), default=0)
        weights = []
        for each in self.operations:
            weight = RARE.get(each.id, 1.0) * min(4.0, most / (1 + self.worked[each.id])) ** 0.5
            kinds = [
                kind for (operation, _), kind in PRODUCES.items() if operation == each.id and each.writes
            ]
            if kinds:
                count = len(self.live.get(kinds[0], ()))
                weight = 0.15 if count >= MOST else 4.0 if count < 2 else weight
            if not all(self.live.get(kind) for kind in self._needs[each.id]):
                weight *= 0.1
            weights.append(weight / (1 + self.failing[each.id]) ** 2)
        return self.pick.choices(self.operations, weights)[0]

    def _call(self, operation: DocumentedOperation) -> Step:
        pick = self.pick
        weights = [8, 2, 2, 1, 1, 1.5, 1, 1][: len(self.callers)]
        step = self._new(operation, pick.choices(self.callers, weights)[0])
        step["tick"] = pick.choice(TICKS)
        self._parameters(operation, step)
        self._relate(step)
        if operation.raw.get("requestBody"):
            self._body(operation, step)
        if operation.id.startswith("list") and pick.random() < 0.5:
            step["walk"] = True
        chance = pick.random()
        if chance < 0.05:
            self._spoil(operation, step)
        elif chance < 0.07:
            step["role"] = pick.choice([None, "wrong"])
        elif chance < 0.12 and self.lockstep.target.is_mock:
            step |= {"as": pick.choice(self.callers), "role": pick.choice([None, step["role"]])}
        return step

    def _parameters(self, operation: DocumentedOperation, step: Step) -> None:
        pick = self.pick
        share = pick.choice([0.0, 0.3, 0.6])
        for parameter in document().parameters(operation):
            name, place = parameter["name"], parameter["in"]
            if place == "path":
                step["path"][name] = self.ref(KINDS[name])
            elif place == "query" and (parameter.get("required") or pick.random() < share):
                step["query"][name] = self._query_value(operation, name, parameter.get("schema", {}), step)
        step["query"] = {name: value for name, value in step["query"].items() if value is not None}

    def _query_value(self, operation: DocumentedOperation, name: str, schema: Any, step: Step) -> Any:
        pick = self.pick
        if name in ("after", "before"):
            kind = "thread" if operation.id == "listThreads" else "message"
            of = _label(step, "thread_id")
            inside = [each[kind] for each in self.together if kind in each and each.get("thread") == of]
            if kind == "message" and inside and pick.random() < 0.8:
                return {"$": pick.choice(inside[-8:])}
            return self.ref(kind) if self.live.get(kind) else None
        if name == "cursor":
            return self.ref("cursor") if self.live.get("cursor") else None
        if name in ("limit", "take", "page_size", "skip", "page") and pick.random() < 0.9:
            return pick.choice([1, 2, 2, 3, 100] if name not in ("skip", "page") else [0, 1, 1, 2])
        value = self.words.value(schema, name)
        return [value, self.words.value(schema, name)] if pick.random() < 0.02 else value

    def _relate(self, step: Step) -> None:
        """Mostly name things that were named together, as who made the first of them."""
        pick = self.pick
        names = [name for name in step["path"] if name != "organization_id"]
        kinds = [KINDS[name] for name in names]
        if len(names) > 1 and pick.random() < 0.6:
            fits = [each for each in self.together[-40:] if all(kind in each for kind in kinds)]
            fits = [each for each in fits if not any(each[kind] in self.dead.get(kind, ()) for kind in kinds)]
            if fits:
                step["path"] |= {
                    n: {"$": label} for n, label in zip(names, _of(pick.choice(fits), kinds), strict=True)
                }
        owner = self.maker.get(_label(step, names[0])) if names else None
        if owner in self.callers and pick.random() < 0.6:
            step["role"] = owner
        for place in ("path", "query"):
            if "organization_id" in step[place] and pick.random() < 0.9:
                other = step["role"] == "foreign" and pick.random() < 0.7 and self.lockstep.target.is_mock
                step[place]["organization_id"] = {"$": "org:other" if other else "org:own"}

    def _body(self, operation: DocumentedOperation, step: Step) -> None:
        pick = self.pick
        media = document().resolved(operation.raw["requestBody"])["content"]
        if "application/json" not in media:
            name = pick.choice(["a.txt", "b.md", "c.txt", "Ä.txt"])
            step["form"] = [
                name,
                " ".join(pick.choices(TOPICS, k=6)),
                pick.choice(["text/plain", "text/markdown"]),
            ]
            return
        body = step["body"] = self.words.value(media["application/json"]["schema"], "body")
        if "organization_id" in body and pick.random() < 0.9:
            other = step["role"] == "foreign" and self.lockstep.target.is_mock
            body["organization_id"] = {"$": "org:other" if other else "org:own"}
        if operation.id == "createResponse":
            self._question(body)
        if operation.id == "uploadBase64Files":
            text = base64.b64encode(" ".join(pick.choices(TOPICS, k=6)).encode()).decode()
            body["files"] = [
                {"filename": pick.choice(["a.txt", "b.md"]), "content": text, "mime_type": "text/plain"}
            ]

    def _question(self, body: dict[str, Any]) -> None:
        """Mostly a question in a thread, with what was found."""
        pick = self.pick
        if pick.random() < 0.9:
            for name in (
                "edit_message_id",
                "previous_message_id",
                "previous_response_id",
                "temperature",
                "top_p",
            ):
                body.pop(name, None)
            body["inputs"] = [self._input() for _ in range(pick.choice([1, 1, 2, 3]))]
        if self.live.get("thread") and pick.random() < 0.7:
            body["thread_id"] = self.ref("thread")
        if pick.random() < 0.6:
            body["include"] = ["file_search.results"]

    def _input(self) -> dict[str, Any]:
        pick = self.pick
        text = " ".join(pick.choices(TOPICS, k=3))
        blocks = [{"type": "text", "text": text}, {"type": "text", "text": pick.choice(TOPICS)}]
        return {
            "role": pick.choice(["user", "user", "user", "system", "assistant"]),
            "content": blocks if pick.random() < 0.2 else text,
        }

    def _spoil(self, operation: DocumentedOperation, step: Step) -> None:
        """Make a request wrong in one place."""
        pick, body = self.pick, step.get("body")
        chance = pick.random()
        if isinstance(body, dict) and chance < 0.6:
            name = pick.choice([*body, "unknown_field"])
            if pick.random() < 0.3:
                body.pop(name, None)
            else:
                body[name] = pick.choice(WRONG)
        elif body is not None and chance < 0.75:
            kind = pick.choice(
                ["text/plain", "application/json; charset=utf-8", "application/vnd.api+json", ""]
            )
            step["headers"] = {"Content-Type": kind}
            if pick.random() < 0.5:
                step["body"] = pick.choice(
                    ['{"name": "a", "name": "b"}', "{", "[]", '"x"', "null", '\ufeff{"name": "a"}']
                )
        elif step["query"] and chance < 0.9:
            step["query"][pick.choice([*step["query"]])] = pick.choice(
                ["0", "101", "-1", "1.0", "abc", "", " ", "+1"]
            )
        elif operation.method == "get":
            step["method"] = pick.choice(["PUT", "HEAD", "PATCH"] if chance < 0.95 else ["OPTIONS"])
        elif operation.method == "post":
            step["raw"] = operation.path.rstrip("/") if operation.path.endswith("/") else operation.path + "/"

    def _learn(self, step: Step) -> None:
        """Remember what there is now, who made it, and with what it was named."""
        statuses = step.get("_statuses", (0, 0))
        if "between" in step:
            self._learn_ids(step["between"])
        self._learn_ids(step)
        if max(statuses) >= 300 or "method" in step:
            return
        self.worked[step["op"]] += 1
        self.words.note(step.get("body"))
        named = {KINDS[name]: _label(step, name) for name in step["path"] if name != "organization_id"}
        body = step.get("body")
        for name, value in body.items() if isinstance(body, dict) else ():
            if isinstance(value, dict) and "$" in value and KINDS.get(name) in ("space", "thread", "file"):
                named[KINDS[name]] = value["$"]
        for label in self.lockstep.names.fresh:
            kind = label.partition(":")[0]
            if kind in ("message", "file", "store"):
                self.together.append({**named, kind: label})
        if len(named) > 1:
            self.together.append(named)
        if step["op"] in DELETES:
            name = DELETES[step["op"]]
            self._bury(KINDS[name], _label(step, name))

    def _learn_ids(self, step: Step) -> None:
        for label in self.lockstep.names.fresh:
            kind = label.partition(":")[0]
            if NOTHING in label:
                continue
            if label not in self.live.setdefault(kind, []) and label not in self.dead.get(kind, ()):
                self.live[kind].append(label)
                self.maker.setdefault(label, step["role"] or step.get("as", "owner"))

    def _bury(self, kind: str, label: str) -> None:
        if label in self.live.get(kind, ()):
            self.live[kind].remove(label)
            self.dead.setdefault(kind, []).append(label)


def _label(step: Step, name: str) -> str:
    value = step["path"].get(name)
    return str(value.get("$", "")) if isinstance(value, dict) else ""


def _of(named: dict[str, str], kinds: Sequence[str]) -> list[str]:
    return [named[kind] for kind in kinds]

