"""What a failed check means: tried again, cut down, compared with the baseline."""
