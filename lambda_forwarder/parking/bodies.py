"""The message body of a parked item, within the characters and the size that SQS accepts."""

import base64
import gzip
import logging
import re
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from lambda_forwarder.errors import Misconfigured, Rejected
from lambda_forwarder.model.parked import NOTHING, Parked
from lambda_forwarder.ports import Claims
from tailrace.wire.message import MESSAGE_LIMIT

PREFIX = "parked"  # the first part of the keys in the claim bucket; no stream may have this name

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_illegal = re.compile("[\ud800-\udfff\ufffe\uffff]").search  # characters of JSON that SQS (XML 1.0) does not accept


def body(item: Parked, claims: Claims | None = None) -> bytes:
    """
    Return the message body. If the parked message does not fit, it is stored in the claim bucket. Without a bucket it is left
    out, so that it never blocks a lane. ``omitted`` says so.
    """
    encoded = fitting(item)
    return _encode(_without_content(item, claims)) if encoded is None else encoded


def fitting(item: Parked) -> bytes | None:
    """The message body with the whole item, compressed if necessary; None if it does not fit."""
    return next((encoded for encoded in map(_encode, _forms(item)) if len(encoded) <= MESSAGE_LIMIT), None)


def _forms(item: Parked) -> Iterator[Parked]:
    """Yield the item as it is, and then with its unreadable body compressed."""
    if item.body is None or not _illegal(item.body):
        yield item
    if item.body is not None:
        packed = base64.b64encode(gzip.compress(_content(item), mtime=0)).decode()
        yield replace(item, body=None, body_gzip=packed)


def _without_content(item: Parked, claims: Claims | None) -> Parked:
    """The item without its message or body, and with a claim to it if it could be stored."""
    content = _content(item)
    stub, omitted = replace(item, message=NOTHING, body=None), f"{len(content)} bytes do not fit into the parking queue"
    if claims is None:
        return replace(stub, omitted=f"{omitted}, and FORWARDER_CLAIM_BUCKET is not set: only this record is kept")
    try:
        claim = claims.store(f"{PREFIX}/{item.id}", content)
    except (Misconfigured, Rejected) as error:
        log.warning(
            "a parked change was not stored in the claim bucket; only its key and reason are kept: %s",
            error,
            extra={"action": "parked_without_its_change", "id": item.id},
        )
        return replace(stub, omitted=f"{omitted}, and FORWARDER_CLAIM_BUCKET does not accept them: only this record is kept")
    return replace(stub, claim=claim, omitted=f"{omitted}: they are stored in s3://{claim.bucket}/{claim.key}")


def _content(item: Parked) -> bytes:
    return bytes(item.message) if item.body is None else item.body.encode("utf-8", "surrogatepass")
