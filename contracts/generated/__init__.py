"""Layers 1 and 2: requests that Schemathesis generates, held to the document."""
