"""Organizations, users and their keys, as the scenario defines them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.sandbox.reference_data import DEFAULTS

KEY_HOLDER = "usr_abc123"
"""User of the FREDDY_API_KEY."""


@dataclass(frozen=True, slots=True)
class Membership:
    """Roles and departments of a user in one organization."""

    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()
    """Capabilities of all the roles."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind a credential (A13)."""

    user_id: str
    memberships: Mapping[str, Membership] = field(default_factory=dict)
    """By organization id."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """API key; also valid as a bearer token (A35)."""

    caller: Caller
    state: str
    """active, expired, deactivated or paused"""
    from_environment: bool = False
    """Whether it came from the environment: such a key is never shown."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Roles and departments that access lists may name: names by id."""

    roles: Mapping[str, str] = field(default_factory=dict)
    departments: Mapping[str, str] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """All organizations, users and keys of a scenario, and its reference data."""

    organizations: Mapping[str, Organization]
    users: Mapping[str, Caller]
    credentials: Mapping[str, Credential]
    reference: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=lambda: DEFAULTS)
    """Lists that no call changes, by name: models, output_modes, reasoning_levels, assistants (A114)."""

    def with_key(self, key: str, user_id: str) -> Directory:
        """Directory with one more key; an existing key keeps its owner."""
        if key in self.credentials or user_id not in self.users:
            return self
        more = {**self.credentials, key: Credential(self.users[user_id], "active", from_environment=True)}
        return replace(self, credentials=more)
