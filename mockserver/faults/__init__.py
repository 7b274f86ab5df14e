"""Failures injected on request: rules, request headers, broken bodies, rate limits."""
