"""Which trace a change belongs to: the one place that looks for its ``traceparent``."""

import re

from tailrace.change import Change

FIELD = "traceparent"  # W3C Trace Context; an application writes it as a top-level field of its document

_w3c = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


def traceparent(change: Change) -> str | None:
    """
    What the change itself set, else what the document carries; nothing where that is not of W3C's form.

    An update that does not set it leaves the document's: of the write before, or, by a late look-up, of one after. A trace
    is a hint to people, so that is better than none. A delete belongs to no trace that it could tell.
    """
    described = change.update_description
    for fields in (described.updated_fields if described else {}, change.full_document or {}):
        value = fields.get(FIELD)
        if isinstance(value, str) and _w3c(value):
            return value
    return None
