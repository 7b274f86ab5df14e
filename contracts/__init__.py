"""Holds a deployment of the Freddy spaces API to its contract, by URL; knows nothing but HTTP."""
