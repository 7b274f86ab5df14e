"""Tools of others that read openapi.yaml, each against a running mock."""
