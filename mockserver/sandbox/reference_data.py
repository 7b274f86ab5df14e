"""Models, output modes and reasoning levels of a scenario that names none (A114)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "models": (
        {
            "id": "mdl_gpt4o",
            "key": "gpt-4o",
            "name": "GPT-4o",
            "description": "The model of a response that names none",
            "provider": "openai",
            "capabilities": ["text", "vision", "tools"],
            "context_window": 128_000,
        },
        {
            "id": "mdl_ftg3",
            "key": "ftg-3.0",
            "name": "FTG 3.0",
            "description": "The vendor's own model, which reasons",
            "provider": "aitronos",
            "capabilities": ["text", "reasoning", "tools"],
            "context_window": 128_000,
        },
        {
            "id": "mdl_gpt35",
            "key": "gpt-3.5-turbo",
            "name": "GPT-3.5 Turbo",
            "provider": "openai",
            "is_visible_in_ui": False,
            "is_deprecated": True,
            "capabilities": ["text"],
            "context_window": 16_385,
        },
    ),
    "output_modes": (
        {"mode": "text", "description": "Text, which may be formatted", "is_default": True},
        {"mode": "plain", "description": "Text without formatting", "is_default": False},
        {"mode": "structured", "description": "Blocks of known types", "is_default": False},
        {"mode": "json", "description": "A JSON value", "is_default": False},
    ),
    "reasoning_levels": (
        {"level": "off", "description": "No reasoning", "is_default": False},
        {"level": "low", "description": "Little reasoning", "is_default": False},
        {"level": "medium", "description": "Some reasoning", "is_default": True},
        {"level": "high", "description": "Much reasoning", "is_default": False},
        {"level": "maximum", "description": "As much reasoning as there is", "is_default": False},
    ),
    "assistants": (),
}
"""Lists by name; records without their default values."""
