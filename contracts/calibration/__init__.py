"""Calibration: which alternative of each assumption a target follows."""
