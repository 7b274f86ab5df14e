"""What was asked and answered, within bounds."""
