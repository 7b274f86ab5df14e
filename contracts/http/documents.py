"""Documents that judge, which come with the mock: openapi.yaml, and its revisions by overlays."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any


def our_spec() -> Path:
    """Bundled openapi.yaml; a deployment is never judged by its own document."""
    from mockserver.app import bundled_spec

    return bundled_spec()


def revisions() -> tuple[str, ...]:
    """Revisions of the vendor's API, of which the first is openapi.yaml itself."""
    from mockserver.settings import REVISIONS

    return REVISIONS


def with_overlays(revision: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """openapi.yaml as a revision changes it; its title, version, hash and overlays, as a mock names them."""
    from mockserver.app import spec_of
    from mockserver.settings import Settings

    spec = spec_of(Settings.model_construct(revision=revision))
    return deepcopy(dict(spec.document)), spec.served


def switches() -> Mapping[str, Any]:
    """How a mock follows the alternatives of each assumption."""
    from mockserver.profile.switches import switches as table

    return table()


def profile_content(path: Path) -> dict[str, Any]:
    """Content of a profile whose entries are valid; ValueError, in one line, for another file."""
    from mockserver.openapi.yaml_document import Document, DocumentError
    from mockserver.profile.profile import stated

    try:
        file = Document(path)
        stated(file)
    except DocumentError as error:
        raise ValueError(str(error)) from error
    return dict(file.content)


def entry_fault(assumption: str, entry: Any) -> str:
    """Why a profile can't have this entry; empty if it can."""
    from mockserver.profile.profile import fault

    return fault(assumption, entry)


def learned(profile: str) -> Mapping[str, bool]:
    """Assumptions that a profile answers: whether each holds; ValueError for a bad file."""
    from mockserver.openapi.yaml_document import DocumentError
    from mockserver.profile.profile import DeploymentProfile

    try:
        read = DeploymentProfile(profile)
    except DocumentError as error:
        raise ValueError(str(error)) from error
    return {**dict.fromkeys(read.assumed, True), **dict.fromkeys((*read.followed, *read.unserved), False)}
