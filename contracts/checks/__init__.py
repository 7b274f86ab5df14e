"""What a check is, what it raises, and what it is held against."""
