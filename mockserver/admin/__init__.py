"""The control API: steers and inspects the mock under /__admin, through the same engine."""
