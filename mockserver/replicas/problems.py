"""Refusals of a replica: the store does not answer, or another replica is the owner."""

from __future__ import annotations

from mockserver.http.problems import MockOwnError
from mockserver.sandbox.transaction import ChangeNotWritten


class StoreUnavailable(
    ChangeNotWritten,
    status=503,
    code="STORE_UNAVAILABLE",
    message="The service is busy. Please try again later.",
    rule="store",
):
    """503: Redis or the owner does not answer; a write may have been carried out nevertheless."""

    def __init__(self, why: str) -> None:
        MockOwnError.__init__(self, "Store unavailable", reason=f"{why}; repeat the call", retry_after=1)
        self.headers = {"retry-after": "1"}


class Refused(StoreUnavailable, rule="ownership"):
    """503: a change that the store does not take, because another replica is the owner now."""


class Elsewhere(Refused):
    """The owner of the sandbox is another replica."""

    def __init__(self, replica: str, url: str) -> None:
        super().__init__(f"ownership of the sandbox is moving: its owner is {url}")
        self.replica, self.url = replica, url


class Unrecoverable(StoreUnavailable):
    """A sandbox that this replica can't make from what the store has of it."""


class ForeignReplica(
    MockOwnError, status=403, code="FOREIGN_REPLICA", message="This is no replica.", rule="store"
):
    """403: a request that another replica passes on has not the token of this one."""

    def __init__(self) -> None:
        super().__init__(
            "Wrong token", reason="the replicas do not have the same --replica-token; give each the same one"
        )
