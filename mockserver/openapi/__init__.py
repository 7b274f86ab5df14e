"""OpenAPI: a document becomes a table of operations with compiled schemas."""
