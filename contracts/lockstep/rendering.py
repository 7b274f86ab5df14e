"""Requests of a step: what each side is sent, with the ids that things have there."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from comparison.names import NOTHING, Names
from contracts.checks.spec import ORGANIZATION, DocumentedOperation
from contracts.http.exchange import ClientRequest
from contracts.http.role_client import FORM_HEADERS, file_form
from contracts.lockstep.api import PREFIXES, REFUSED, Step, key_of


class Rendering:
    """Requests with the names of one sequence; `allow` lets writes name an id that nothing has."""

    def __init__(
        self,
        names: Names,
        allow: Callable[[str], object],
        requires_organization: Callable[[str, str], bool],
    ) -> None:
        self.names, self._allow, self._requires_organization = names, allow, requires_organization

    def request(
        self, step: Step, operation: DocumentedOperation, side: int, extra: dict[str, str]
    ) -> ClientRequest:
        """Request of a step to a side, with its ids there."""
        path = operation.path
        if "raw" in step:
            path = step["raw"]
        for name, value in self._rendered(step.get("path", {}), side).items():
            path = path.replace("{" + name + "}", quote(str(value), safe=""))
        method = step.get("method", operation.method.upper())
        query = {**self._rendered(step.get("query", {}), side), **extra}
        if self._requires_organization(method, path) and ORGANIZATION not in query:
            query[ORGANIZATION] = self._rendered({"$": "org:own"}, side)
        pairs = [
            (name, str(each).lower() if isinstance(each, bool) else each)
            for name, value in query.items()
            for each in (value if isinstance(value, list) else [value])
            if each is not None
        ]
        body, headers = self._rendered(step.get("body"), side), {**step.get("headers", {})}
        if "form" in step:
            body, headers = file_form(*step["form"]), {**FORM_HEADERS}
        role = step["role"]
        if role in REFUSED:
            headers["X-API-Key"], role = REFUSED[role], None
        if step.get("as"):
            headers["Authorization"] = f"Bearer {key_of(step['as'])}"
        target = path + ("?" + urlencode(pairs) if pairs else "")
        if "link" in step:
            target = re.sub(r"^https?://[^/]+", "", self._rendered(step["link"], side))
        return ClientRequest(method, target, role, body, headers)

    def _rendered(self, value: Any, side: int) -> Any:
        if isinstance(value, dict):
            if "$" in value:
                return self._value(value["$"], value.get("+", ""), side)
            return {name: self._rendered(inner, side) for name, inner in value.items()}
        return [self._rendered(inner, side) for inner in value] if isinstance(value, list) else value

    def _value(self, label: str, more: str, side: int) -> str:
        """Id of a label on a side; of one that was never created, an id that nothing has."""
        values = self.names.values
        if label not in values:
            kind = label.partition(":")[0]
            id_ = f"{PREFIXES.get(kind, kind)}_contracts{zlib.crc32(label.encode()):08x}"
            self.names.add(f"{label}{NOTHING}", id_, id_)
            values[label] = id_, id_
            self._allow(id_)
        if more and f"{label}{NOTHING}{more}" not in values:
            self.names.add(f"{label}{NOTHING}{more}", *(each + more for each in values[label]))
            self._allow(values[label][1] + more)
        return values[f"{label}{NOTHING}{more}" if more else label][side]
