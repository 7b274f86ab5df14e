"""Identity of a mock: what its log depends on, and the settings with which it can be read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import PydanticBaseSettingsSource

from mockserver import __version__
from mockserver.foreign.place import place_of
from mockserver.persistence.frames import DamagedError
from mockserver.profile.profile import BUNDLED
from mockserver.scenarios import loader
from mockserver.settings import Settings

_EMBEDDING = {name for name in Settings.model_fields if "embedding" in name}
_BOTH = {"revision", "seed", "faults", "rate_limit", *_EMBEDDING}
DECIDING = {*_BOTH, "scenario", "generate", "import_", "freeze"}
"""Settings that the answers of a mock depend on."""
READING = {*_BOTH, "spec", "overlay", "profile", "also"}
"""Settings with which a log can be read again: the states that it starts from are stored whole."""


def identity(settings: Settings, served: Mapping[str, Any]) -> dict[str, Any]:
    """What a log depends on: with anything else its calls may have other answers.

    `served`: title, version and hashes of the document, its overlays, and the profile.
    """
    values = settings.model_dump(mode="json", include=DECIDING)
    named = {name.rstrip("_"): _absolute(name, value) for name, value in sorted(values.items())}
    profile = {name: value for name, value in served.get("profile", {}).items() if name != "name"}
    document = {**served, "profile": profile} if profile else served
    read = settings.model_dump(mode="json", include=READING & settings.model_fields_set)
    again = {name: _absolute(name, value) for name, value in read.items()}
    return {"version": __version__, "document": document, **named, "settings": again}


def _absolute(name: str, value: Any) -> Any:
    """Value of a setting, with absolute paths."""
    if name == "overlay":
        return [str(Path(each).resolve()) for each in value]
    if name == "also":
        places = map(place_of, value)
        return [
            f"{each.name}={each.file.resolve()}" + f"@{each.prefix}" * bool(each.prefix) for each in places
        ]
    is_path = name in {"import_", "spec", "scenario", "profile"} and value is not None
    return str(Path(value).resolve()) if is_path and value not in (*loader.names(), *BUNDLED) else value


class RecordedSettings(Settings):
    """Settings that a folder of `--persist` records; the environment adds none."""

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what is given."""
        return (sources["init_settings"],)


def recorded_settings(values: Mapping[str, Any]) -> Settings:
    """Settings of the mock that can read its logs; DamagedError for others than were written.

    States are stored whole, so its scenario does not matter.
    """
    try:
        if unknown := sorted(values.keys() - READING):
            raise DamagedError(f"there is no setting {unknown[0]!r}")
        return RecordedSettings(**values, scenario="empty", quiet=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise DamagedError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
