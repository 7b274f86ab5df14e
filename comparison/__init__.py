"""Comparison of the answers of two servers, for the contract suite's lock step and for recordings."""
