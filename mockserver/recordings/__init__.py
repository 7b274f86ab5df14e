"""Recordings of a proxy: read, replayed on another server, and made a scenario."""
