"""What the sixteen operations do, seen over HTTP."""
