"""Parts that most mocks do not have: other documents, and a proxy. They are imported where they are used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mockserver.corridor import Corridor
from mockserver.http.context import Api
from mockserver.http.upload import BodyLimits
from mockserver.openapi.spec import Spec
from mockserver.openapi.yaml_document import DocumentError
from mockserver.sandbox.sandbox import SandboxState
from mockserver.sandbox.sandboxes import Sandboxes
from mockserver.sandbox.snapshots import Snapshots
from mockserver.settings import Settings

if TYPE_CHECKING:
    from mockserver.foreign.api import ForeignApi
    from mockserver.proxy.front import Front
    from mockserver.proxy.options import ProxyOptions
    from mockserver.replicas.opening import Replicas


def front(proxy: ProxyOptions, notice: Callable[[str], None]) -> Front:
    """What a proxy has beyond a mock."""
    from mockserver.proxy.front import Front

    return Front(proxy, notice)


def forwarding(front: Front, most_waiting: int) -> Callable[..., Corridor]:
    """What makes the corridor of a proxy."""
    from mockserver.proxy.corridor import ForwardingCorridor

    return partial(ForwardingCorridor, front=front, most_waiting=most_waiting)


class StateParts(NamedTuple):
    """What keeps the state of a mock, alone or as one of many replicas."""

    snapshots: Snapshots
    sandboxes: Callable[..., Sandboxes]
    corridor: Callable[..., Corridor]
    open: Callable[..., Any]
    """Joins the other replicas: the keeper; None without any."""


def state_parts(
    settings: Settings, notice: Callable[[str], None], stopping: threading.Event
) -> StateParts | Replicas:
    """Those of one of many replicas with `--store`."""
    if settings.store is None:
        return StateParts(Snapshots(), Sandboxes, Corridor, lambda *_: None)
    try:
        from mockserver.replicas.opening import Replicas
    except ModuleNotFoundError as error:
        raise DocumentError(f"--store: {error.name} is missing; pip install 'redis[hiredis]>=6'") from None
    return Replicas(settings, notice, stopping)


def compare(front: Front, api: Api, begin: SandboxState, limits: BodyLimits) -> None:
    """Give a proxy the mock with which it compares."""
    from mockserver.proxy.copy import Copy

    def operation_at(path: str) -> str:
        operation = api.routes.at("GET", path)
        return "-" if operation is None else operation.id

    front.compare(Copy(api, begin, limits), operation_at)


def load_foreign(settings: Settings, spec: Spec) -> Sequence[ForeignApi]:
    """APIs of `--also`."""
    if not settings.also:
        return ()
    from mockserver.foreign import loading

    return loading.load_foreign(settings.also, spec.operations.values(), settings.overlay)


def foreign_apis(settings: Settings, beside: Sequence[ForeignApi], handlers: Mapping[str, Any]) -> list[Api]:
    """APIs of `--also` as the corridor serves them, with the handlers of extensions."""
    if not beside and not handlers:
        return []
    from mockserver.foreign.loading import api_of, extend

    extend(beside, handlers)
    return [api_of(each, cors=settings.cors_origins, strict=settings.strict_sandboxes) for each in beside]


def vendors_overlays(settings: Settings) -> Iterable[Path]:
    """Overlays that extend no document of `--also`."""
    if not settings.also:
        return settings.overlay
    from mockserver.foreign.loading import extends

    return [each for each in settings.overlay if not extends(each, settings.also)]
