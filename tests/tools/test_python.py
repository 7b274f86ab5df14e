"""Python clients that are generated from openapi.yaml call every operation, and models read every answer."""
