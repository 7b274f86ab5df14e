"""Bodies with files: how large they may be, how a form is read, and what the journal keeps of them."""

from __future__ import annotations

import hashlib
import io
from typing import Any, NamedTuple

import orjson
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from mockserver.http.calls import UploadedFile
from mockserver.http.request import Request
from mockserver.openapi.field_error import FieldError
from mockserver.openapi.operation import FORM, Body, Operation

MOST_PARTS = 100
"""Most parts of a form."""
MOST_TEXT = 65_536
"""Bytes of the fields of a form that are no files."""


class BodyLimits(NamedTuple):
    """Most bytes of a body."""

    body: int
    """`--max-body-bytes`."""
    files: int
    """`--max-file-bytes`, of the files of one upload."""

    def of(self, operation: Operation) -> tuple[int, str]:
        """Limit of an operation's body, and whose limit it is; base64 makes files a third larger."""
        if operation.carries_files:
            is_form = operation.body is not None and operation.body.is_form
            files = self.files if is_form else self.files * 4 // 3
            return self.body + files, "--max-file-bytes and --max-body-bytes together"
        if operation.max_body_bytes > self.body:
            return operation.max_body_bytes, "this operation"
        return self.body, "--max-body-bytes"


def read_form(request: Request, data: bytes, plan: Body, errors: list[FieldError]) -> Any:
    """Files of a form by field; errors are added to `errors`."""
    media_type, options = parse_options_header(request.content_type)
    boundary = options.get("boundary", "")
    if media_type != FORM or not boundary:
        errors.append(FieldError("body", "", f"content type is not {FORM} with a boundary"))
        return None
    parser = MultiPartParser(
        stream_factory=lambda *_, **__: io.BytesIO(),
        max_form_memory_size=MOST_TEXT,
        max_form_parts=MOST_PARTS,
    )
    try:
        texts, parts = parser.parse(io.BytesIO(data), boundary.encode("latin-1", "replace"), len(data))
    except (ValueError, HTTPException) as error:
        why = error.description if isinstance(error, HTTPException) else error
        errors.append(FieldError("body", "", f"not a valid form: {why}"))
        return None
    if None in texts or None in parts:
        errors.append(FieldError("body", "", "not a valid form: a part has no name"))
        return None
    files: dict[str, list[UploadedFile]] = {}
    for name, part in parts.items(multi=True):
        found = UploadedFile(part.filename or "", part.mimetype, part.stream.read())
        files.setdefault(name, []).append(found)
    # To the schema, a file is its name; a field without a file is a text, which no schema of a form allows.
    shape = {**texts.to_dict(), **{name: [each.filename for each in found] for name, found in files.items()}}
    if not plan.schema.is_valid(shape):
        errors += plan.schema.errors(shape, "body")
        return None
    request.journal_body = _summary([each for found in files.values() for each in found])
    return files


def _summary(files: list[UploadedFile]) -> bytes:
    """What the journal shows of uploaded files, as JSON: names, sizes and hashes, not the contents."""
    summaries = [
        {
            "filename": each.filename,
            "media_type": each.media_type,
            "bytes": len(each.data),
            "sha256": hashlib.sha256(each.data).hexdigest(),
        }
        for each in files
    ]
    return orjson.dumps({"files": summaries})


def digest(data: bytes) -> bytes:
    """What the journal shows of a body that it does not keep."""
    return orjson.dumps({"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
