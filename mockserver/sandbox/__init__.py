"""State and time that are isolated together; independent of HTTP."""
