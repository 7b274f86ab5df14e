"""Tests; what several of them need is imported as tests.<module>."""
