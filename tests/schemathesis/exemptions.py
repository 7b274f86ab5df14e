"""Requests that only the state of the mock can tell to be wrong.

Each exemption names one operation, one parameter and a request that shows it. Schemathesis runs `hooks.py`,
whose functions apply to every run of it in their process: tests import this module alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from contracts.checks.spec import document
from contracts.generated.exemptions import EXEMPT


class Case(NamedTuple):
    """Request that shows why an exemption is needed."""

    path: str
    value: Any
    """Value of the parameter that is refused."""
    first: Any = None
    """Value sent before it, which brings about the state that refuses."""


class Exemption(NamedTuple):
    """Parameter of an operation that may be a 422 although the spec allows its value."""

    operation: str
    place: str
    parameter: str
    case: Case


TEAM, RENAMED = "/v1/spaces/space_team/threads", "/v1/spaces/space_abc123"
SPACES = "/v1/spaces/?organization_id=org_abc123"
MESSAGES = "/v1/threads/thrd_abc123/messages"
MESSAGE = f"{MESSAGES}/msg_23716a05fc0270912bb9f243a36a6110"
STORES = "/v1/organizations/org_abc123/vector-stores"
OWN_STORE = "vs_auto123"
SEED = "POST /__admin/seed"
POLICY = "/__admin/embeddings/policy"
SIXTEEN = {f"k{number}": "" for number in range(16)}
PATTERNS = ("Pattern", ".matches", ".doesNotMatch")
NO_PATTERN = "is not a regular expression without look-around and back-references"
CASES = {
    "listSpaces": Case(SPACES, "0"),
    "listSpaceThreads": Case(TEAM, "0"),
    "listThreads": Case("/v1/threads", "0"),
    "listThreadMessages": Case(MESSAGES, "0"),
    "createSpace": Case("/v1/spaces/", ["0"]),
    "updateSpace": Case(RENAMED, ["0"]),
    "createVectorStore": Case(STORES, ["0"]),
    "updateVectorStore": Case(f"{STORES}/vs_def456", ["0"]),
    "addVectorStoreToSpace": Case(f"{RENAMED}/vector-stores/{OWN_STORE}", OWN_STORE),
    "createResponse": Case("/v1/model/response", "x"),
    "createResponse reasoning": Case("/v1/model/response", {"effort": "low"}),
    "createResponse tools": Case("/v1/model/response", [{"type": "mcp"}]),
    "updateThread": Case("/v1/threads/thrd_pinned2", SIXTEEN),
    "updateThreadMessage": Case(MESSAGE, SIXTEEN, {"a": ""}),
}
"""Case of each operation, or of one parameter of it, that the contract suite exempts."""
CONTROL = (
    # The control API's own cursors are opaque, too.
    Exemption("GET /__admin/sandboxes", "query", "cursor", Case("/__admin/sandboxes", "0")),
    Exemption("GET /__admin/snapshots", "query", "cursor", Case("/__admin/snapshots", "0")),
    Exemption("GET /__admin/changes", "query", "cursor", Case("/__admin/changes", "0")),
    Exemption("GET /__admin/embeddings", "query", "cursor", Case("/__admin/embeddings", "0")),
    Exemption("GET /__admin/records/{kind}", "query", "cursor", Case("/__admin/records/keys", "0")),
    # As many messages as threads times messages in each: no schema multiplies.
    Exemption(SEED, "body", "messages", Case("/__admin/seed", 1000)),
    # Seconds go with one mode alone, and a message that is to fail must be there.
    Exemption(f"PUT {POLICY}", "body", "seconds", Case(POLICY, 1)),
    Exemption(f"PUT {POLICY}", "body", "fail", Case(POLICY, {"message_ids": ["0"]})),
    # A fault can name the operations that the vendor's spec has, which the control API's does not list.
    Exemption("POST /__admin/faults", "body", "operation", Case("/__admin/faults", "0")),
    Exemption("PATCH /__admin/faults/{id}", "body", "operation", Case("/__admin/faults/fault_0", "0")),
)
EXEMPTIONS = (
    *(
        Exemption(
            document().by_id(operation).label,
            place,
            parameter,
            CASES.get(f"{operation} {parameter}", CASES[operation]),
        )
        for operation, (place, parameters) in EXEMPT.items()
        for parameter in parameters
    ),
    *CONTROL,
)
"""The contract suite's exemptions for the vendor's operations, and those for the control API."""


def no_pattern(each: Any) -> bool:
    """No schema can say which texts are regular expressions."""
    return bool(each["name"].endswith(PATTERNS) and each["message"] == NO_PATTERN)


def errors(body: Any) -> Any:
    """What a 422 complains of, in the vendor's envelope or in a problem document."""
    return body["errors"] if "errors" in body else body["error"]["details"]["fields"]
