"""The simulated embedding queue, and the search over what is embedded."""
