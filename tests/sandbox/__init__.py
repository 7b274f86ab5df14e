"""What a sandbox is made of."""
