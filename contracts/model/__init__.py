"""Layer 3: comparison of the target with a small reference model."""
