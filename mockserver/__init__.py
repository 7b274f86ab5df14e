"""A stateful mock of the Freddy spaces API, driven by its OpenAPI document."""

__version__ = "0.1.0"
