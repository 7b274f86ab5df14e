"""The mock in front of another server: it forwards requests, and judges what goes by."""
