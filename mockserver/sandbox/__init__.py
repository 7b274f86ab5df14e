"""State and time, isolated together; has never heard of HTTP."""
