"""Tests of the proxy, each with a real target and a real proxy."""
