"""The embedding queue and the search."""
