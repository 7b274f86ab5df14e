"""State that survives its process: a log and a snapshot of each sandbox."""
