"""Record of what a run creates, and its removal."""
