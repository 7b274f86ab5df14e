"""What a mutant damages: one mock, with everything undone afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias

import orjson
import pytest

from mockserver.app import MockServer
from mockserver.flask_app import ADMIN_PREFIX
from mockserver.freddy import HANDLERS, access, space_threads, space_vector_stores, spaces
from mockserver.freddy.lookup import Call
from mockserver.http import wire
from mockserver.http.calls import File, Reply
from mockserver.http.context import RequestContext
from mockserver.http.event_stream import Stream
from mockserver.http.problems import Problem, Rendered, vendor_envelope
from mockserver.openapi.operation import Operation
from mockserver.sandbox.directory import Caller
from mockserver.sandbox.sandbox import Sandbox

Handler: TypeAlias = Callable[[Call, Sandbox], Reply]
Around: TypeAlias = Callable[[Handler, Call, Sandbox], Reply]
"""Answers instead of a handler, which it is given."""
WITH_A_SPACE = (spaces, space_threads, space_vector_stores)
"""Where `space_for` is looked up."""

_held = wire.check


class Patch:
    """pytest's, which remembers what of the mock it put something else in the place of."""

    def __init__(self, inner: pytest.MonkeyPatch) -> None:
        self._inner = inner
        self.replaced: list[Any] = []
        self.context = inner.context

    def setattr(self, target: Any, name: str, value: Any) -> None:
        """Replace an attribute."""
        self.replaced.append(getattr(target, name))
        self._inner.setattr(target, name, value)

    def setitem(self, mapping: Any, name: str, value: Any) -> None:
        """Replace an item."""
        self.replaced.append(mapping[name])
        self._inner.setitem(mapping, name, value)


class Bench:
    """A mock to damage."""

    def __init__(self, app: MockServer, patch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.patch: Any = Patch(patch)

    def around(self, operation: str, wrap: Around) -> None:
        """Let `wrap` answer the operation."""
        handler = HANDLERS[operation]
        self.patch.setitem(HANDLERS, operation, lambda call, sandbox: wrap(handler, call, sandbox))

    def without_effect(self, operation: str) -> None:
        """Let the operation answer as always, and change nothing."""

        def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
            mark = sandbox.versions()
            reply = handler(call, sandbox)
            sandbox.restore_versions(mark)
            return reply

        self.around(operation, wrap)

    def body(self, operation: str, change: Callable[[Any], Any]) -> None:
        """Let `change` edit a copy of the body of every answer that the operation gives."""

        def wrap(handler: Handler, call: Call, sandbox: Sandbox) -> Reply:
            reply = handler(call, sandbox)
            body = deepcopy(reply.body)
            change(body)
            return Reply(reply.status, body, reply.headers)

        self.around(operation, wrap)

    def errors(self, change: Callable[[dict[str, Any], Problem], Any]) -> None:
        """Let `change` edit the body of every error of the vendor's API."""
        render = RequestContext.render

        def damaged(context: RequestContext, problem: Problem) -> Rendered:
            rendered = render(context, problem)
            if not context.request.path.startswith(ADMIN_PREFIX):
                change(rendered.body, problem)
            return rendered

        self.patch.setattr(RequestContext, "render", damaged)

    def wsgi(self, wrap: Callable[[Any, Any, Any], Iterable[bytes]]) -> None:
        """Let `wrap(application, environ, start_response)` answer every request."""
        inner = self.app.wsgi_app
        self.patch.setattr(self.app, "wsgi_app", lambda environ, start: wrap(inner, environ, start))

    def named_users(self, named: Callable[[Caller, list[str] | None], bool]) -> None:
        """Let `named` decide whether `access_users` or `editable_by_users` names a caller."""

        def damaged(rule: access.AccessRule) -> access.AccessRule:
            return rule._replace(holds=lambda space, caller, _: named(caller, space[rule.by]))

        lists = ("access_users", "editable_by_users")
        rules = tuple(damaged(rule) if rule.by in lists else rule for rule in access.RULES)
        self.replace([access], "RULES", rules)

    def shown_space(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Let `change` edit every space that is shown."""
        shown = spaces.space_body

        def damaged(space: Any, sandbox: Sandbox) -> Any:
            body = deepcopy(dict(shown(space, sandbox)))
            change(body)
            return body

        self.patch.setattr(spaces, "space_body", damaged)

    def replace(self, modules: Iterable[Any], name: str, value: Any) -> None:
        """Let `name` mean `value` in these modules or classes."""
        for module in modules:
            self.patch.setattr(module, name, value)


class Mutant(NamedTuple):
    """A mock that does one thing wrong."""

    name: str
    sentence: str
    damage: Callable[[Bench], None]
    assumed: bool
    """It breaks an assumption alone."""
    concurrent: bool
    """It goes wrong only when calls come at the same time."""


MUTANTS: list[Mutant] = []


def add(name: str, sentence: str, damage: Callable[[Bench], None], *, assumed: bool = False) -> None:
    """One more mutant, made by a loop."""
    MUTANTS.append(Mutant(name, sentence, damage, assumed, concurrent=False))


def mutant(
    *, assumed: bool = False, concurrent: bool = False
) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """One more mutant: its name is the function's, its sentence the docstring."""

    def register(damage: Callable[[Bench], None]) -> Callable[[Bench], None]:
        assert damage.__doc__ is not None
        name = damage.__name__.replace("_", "-")
        MUTANTS.append(Mutant(name, damage.__doc__, damage, assumed, concurrent))
        return damage

    return register


@contextmanager
def damaged(app: MockServer, mutant: Mutant | None) -> Iterator[Bench]:
    """The mock with this fault, and like a real server without a check of its own answers."""
    app.sandboxes.get().reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "check", _unheld)
        bench = Bench(app, patch)
        if mutant is not None:
            mutant.damage(bench)
        yield bench
    app.sandboxes.get().reset()


def refused(problem: Problem, call: Call, sandbox: Sandbox) -> Reply:
    """The answer of a problem, returned and not raised: what was written stays."""
    return Reply(problem.status, vendor_envelope(problem, call.trace_id, sandbox.now()).body)


def _unheld(operation: Operation, reply: Reply, trace_id: str) -> wire.Checked:
    if isinstance(reply.body, Stream | File):
        return _held(operation, reply, trace_id)
    headers = [("x-request-id", trace_id), *reply.headers.items()]
    if reply.body is not None:
        headers.append(("Content-Type", "application/json"))
    return wire.Checked(reply.status, headers, reply.body)


def answer(start_response: Any, status: str, body: Any, kind: str = "application/json") -> list[bytes]:
    """A whole answer over WSGI."""
    data = body.encode() if isinstance(body, str) else orjson.dumps(body)
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(data)))])
    return [data]
