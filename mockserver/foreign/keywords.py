"""Keywords of JSON Schema 2020-12 and OpenAPI 3.0 that are understood in a foreign document."""

from __future__ import annotations

from typing import Any

# fmt: off
ONE = frozenset((
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedProperties", "unevaluatedItems",
))
# fmt: on
"""Keywords whose value is a schema."""
MANY = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
"""Keywords whose value is a list of schemas."""
NAMED = frozenset(("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"))
"""Keywords whose value is schemas by name."""
# fmt: off
NUMBERS = frozenset((
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains",
))
# fmt: on
OTHERS = frozenset(
    ("type", "enum", "const", "required", "uniqueItems", "pattern", "format", "dependentRequired")
)
HINTS = frozenset(("example", "examples", "writeOnly", "readOnly", "discriminator"))
"""Annotations that the generator reads."""
KNOWN = (
    ONE | MANY | NAMED | NUMBERS | OTHERS | HINTS
    | {"$ref", "nullable", "title", "description", "default", "deprecated", "xml", "externalDocs"}
    | {"$comment", "$schema", "contentMediaType", "contentEncoding", "contentSchema", "summary"}
)  # fmt: skip
# fmt: off
FORMATS = frozenset((
    "date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6",
    "uri", "url", "uri-reference", "iri", "iri-reference", "uri-template", "uuid", "regex", "json-pointer",
    "relative-json-pointer", "byte", "binary", "password", "int32", "int64", "float", "double", "string",
))
# fmt: on
TYPES = frozenset(("null", "boolean", "object", "array", "number", "string", "integer"))


def inner(key: str, value: Any) -> list[Any]:
    """Schemas that are the value of a keyword."""
    if key in ONE:
        return value if isinstance(value, list) else [value]
    if key in MANY and isinstance(value, list):
        return value
    return list(value.values()) if key in NAMED and isinstance(value, dict) else []
