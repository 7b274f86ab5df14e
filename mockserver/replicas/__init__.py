"""Many replicas of the mock with one state, which Redis keeps: --store."""
