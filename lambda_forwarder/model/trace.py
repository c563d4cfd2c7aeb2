"""The trace of a change, from its ``traceparent``."""

import re

from tailrace.change import Change

FIELD = "traceparent"  # W3C Trace Context; an application writes it as a top-level field of its document

_w3c = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


def traceparent(change: Change) -> str | None:
    """
    Return the ``traceparent`` that the change set, else that of its document; None if it does not have W3C's form.

    If an update does not set it, the document has that of an earlier write, or of a later one if the document was looked up
    late. This is good enough as a hint to people. A delete has no document, so it has no trace.
    """
    described = change.update_description
    for fields in (described.updated_fields if described else {}, change.full_document or {}):
        value = fields.get(FIELD)
        if isinstance(value, str) and _w3c(value):
            return value
    return None
