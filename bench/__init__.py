"""`make bench`: the mock beside what people use today, on this machine, in one run."""
