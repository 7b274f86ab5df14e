"""Profile: which alternative of each assumption a deployment follows, and the mock that answers likewise."""
