"""The control client under its public name."""

from mockserver.client.control import *  # noqa: F403  # what the docs import from here
