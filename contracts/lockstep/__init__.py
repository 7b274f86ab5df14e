"""Lock step: the same calls to the mock in a process of its own and to the target, compared after each."""
