"""A sandbox as a JSON document, out and in."""
