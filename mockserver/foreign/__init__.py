"""Other people's OpenAPI documents, served beside the vendor's: read, not linted."""
