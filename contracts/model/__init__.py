"""Layer 3: the target beside a model that is small enough to be obviously right."""
