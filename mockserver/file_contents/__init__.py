"""Contents of uploaded files: shared bytes, and the pieces of text that are embedded."""
