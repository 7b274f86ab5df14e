"""Named starting states, and generated worlds."""
