"""Reports of a run, all made from the same data: terminal, files, GitHub."""
