"""OpenAPI documents as tables of operations with compiled schemas."""
