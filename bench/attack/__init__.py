"""Attack on a running mock: hostile clients, the invariants that must hold after them, and a report."""
