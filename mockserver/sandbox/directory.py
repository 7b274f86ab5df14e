"""Who is who: organizations, users, their keys and what those make of them. Given by the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_HOLDER = "usr_abc123"
"""Whose key FREDDY_API_KEY is."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What a user is within one organization."""

    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    """Those of all the roles."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind a credential (A13)."""

    user_id: str
    memberships: Mapping[str, Membership] = field(default_factory=dict)
    """By organization id."""


@dataclass(frozen=True, slots=True)
class Credential:
    """An API key, which is good as a bearer token too (A35)."""

    caller: Caller
    state: str
    """active, expired, deactivated or paused"""
    from_outside: bool = False
    """Not of the scenario: such a key is never told."""


@dataclass(frozen=True, slots=True)
class Organization:
    """What access lists may name."""

    roles: frozenset[str]
    departments: frozenset[str]


@dataclass(frozen=True, slots=True)
class Directory:
    """Everybody and every key of a scenario."""

    organizations: Mapping[str, Organization]
    users: Mapping[str, Caller]
    credentials: Mapping[str, Credential]

    def with_key(self, key: str, user_id: str) -> Directory:
        """A directory with one more key; a key that is there already keeps its owner."""
        if key in self.credentials or user_id not in self.users:
            return self
        more = {**self.credentials, key: Credential(self.users[user_id], "active", from_outside=True)}
        return Directory(self.organizations, self.users, more)
