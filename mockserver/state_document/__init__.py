"""State document: a sandbox as JSON, export and import."""
