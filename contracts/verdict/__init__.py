"""Verdicts: running checks, retrying and minimizing failures, replay, baseline."""
