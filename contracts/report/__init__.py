"""What a run says, all of it made from the same data: on a terminal, in files, on GitHub."""
