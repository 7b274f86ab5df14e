"""HTTP side of a run: target, credentials, role clients, request budget."""
