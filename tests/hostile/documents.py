"""
Documents that an application or its users may write: a real server accepts each, and none may stop the stream. ``DOCUMENTS`` is
the table; its small values are in ``values``.
"""

from collections.abc import Mapping

from bson import Decimal128, Int64

from tests import bson_bytes as b
from tests.bson_bytes import array, document, element, text
from tests.hostile.mappers import CONTROLS
from tests.hostile.outcome import PUBLISHED
from tests.hostile.values import DEPTH, NOT_UTF8, VALUES
from tests.hostile.writes import (
    ROOM,
    UPDATED,
    Hostile,
    after_one_another,
    full,
    in_transaction,
    keyed,
    long_text,
    made,
    setting,
    updated,
)

TRANSACTION = 3_000  # operations

MEMORY = "of memory"
JSON = "bytes of JSON"
EVENT = "larger than the 16 MB that the server can send"
KEY = "its document key is"

LARGE: Mapping[str, Hostile] = {
    "16 MB of MinKey": full(b.MIN_KEY, expected=MEMORY),
    "16 MB of undefined": full(b.UNDEFINED, expected=MEMORY),
    "16 MB of null": full(b.NULL),
    "16 MB of booleans": full(b.BOOL, b"\1"),
    "16 MB of small integers": full(b.INT32, b.number(7)),
    "16 MB of doubles": full(b.DOUBLE, bytes.fromhex("9a9999999999b93f")),
    "16 MB of dates": full(b.DATE, b.number(1, 8)),
    "16 MB of distant dates": full(b.DATE, b.number(2**63 - 1, 8), MEMORY),
    "16 MB of Decimal128": full(b.DECIMAL, Decimal128("-1.234567890123456789012345678901234E-6000").bid),
    "16 MB of ObjectIds": full(b.OBJECT_ID, b"\xff" * 12),
    "16 MB of empty texts": full(b.TEXT, text(b"")),
    "16 MB of empty documents": full(b.DOCUMENT, document()),
    "16 MB of empty lists": full(b.ARRAY, document()),
    "16 MB of empty binaries": full(b.BINARY, b.binary(0, b"")),
    "16 MB of empty regular expressions": full(b.REGEX, b"\0\0", MEMORY),
    "16 MB of code with a scope": full(b.SCOPED, b.scoped(b"", document()), MEMORY),
    "16 MB of references": full(b.POINTER, text(b"") + bytes(12), MEMORY),
    "16 MB of field names": made(
        lambda: element(b.DOCUMENT, b"a", document(*(b"\x0a%06x\0" % number for number in range(ROOM // 8 - 2)))),
        MEMORY,
    ),
    "a name of 16 MB": made(lambda: element(b.NULL, b"n" * ROOM)),
    "16 MB of U+0001": long_text(b"\x01", JSON),
    "16 MB of NUL": long_text(b"\0", JSON),
    "16 MB of emoji": long_text("😀".encode()),
    "16 MB of ASCII with one emoji": long_text(b"x" * (ROOM - 8) + "😀".encode()),
    "16 MB of lone surrogates (WTF-8)": long_text(b"\xed\xa0\x80", JSON),
    "16 MB of bytes that are not UTF-8": long_text(b"\xff", JSON),
    "three documents of 16 MB of undefined": after_one_another(
        3, lambda: element(b.ARRAY, b"a", array(b.UNDEFINED, b"", ROOM)), MEMORY
    ),
}

KEYS: Mapping[str, Hostile] = {
    "an _id of 8 kB with 16 MB": keyed(b.TEXT, text(b"k" * 8_192), ROOM - 8_192, expected=(EVENT, PUBLISHED)),
    "an _id of 700 kB": keyed(b.TEXT, text(b"k" * 700_000), expected=(KEY, KEY)),
    "an _id of 5 MB": keyed(b.TEXT, text(b"k" * 5_000_000), expected=(EVENT, KEY), operations=()),
    "an _id that is null": keyed(b.NULL),
    "an _id that is NaN": keyed(b.DOUBLE, bytes.fromhex("000000000000f87f")),
    "an _id that is MinKey": keyed(b.MIN_KEY),
    "an _id that is the last date": keyed(b.DATE, b.number(2**63 - 1, 8)),
    "an _id that is code": keyed(b.SCOPED, b.scoped(NOT_UTF8, document())),
    "an _id that is a document with lists and a name twice": keyed(
        b.DOCUMENT, document(*[element(b.ARRAY, b"a", document(element(b.NULL, b"")))] * 2)
    ),
    "an _id that is nested": keyed(b.DOCUMENT, b.nested(b.DOCUMENT, DEPTH - 10, document())),
    "an _id of controls and bidi": keyed(b.TEXT, text(CONTROLS.encode())),
    "an _id that is not UTF-8": keyed(b.TEXT, text(NOT_UTF8)),
    "an _id that is binary subtype 2, wrong inner length": keyed(b.BINARY, b.binary(2, b.number(99) + b"abc")),
}

OPERATIONS: Mapping[str, Hostile] = {
    "an update that sets 16 MB": updated(setting(lambda: element(b.TEXT, b"a", text(b"x" * UPDATED)))),
    "an update that sets 16 MB of MinKey": updated(
        setting(lambda: element(b.ARRAY, b"a", array(b.MIN_KEY, b"", UPDATED))), expected=MEMORY
    ),
    "an update of 2,000 fields": updated({"$set": {f"a.{number}": number for number in range(2_000)}}, {"a": {}}),
    "an update of one field beside 16 MB": updated({"$set": {"b": 1}}, {"a": "x" * (ROOM - 32)}),
    "an update that cuts a list of 16 MB": updated(
        [{"$set": {"a": {"$slice": ["$a", 1]}}}], {"a": [Int64(1)] * 900_000}, "replace"
    ),
    "an update of a field with a dot and $ in its name": updated(
        [{"$replaceWith": {"$setField": {"field": {"$literal": "$a.b"}, "input": "$$ROOT", "value": CONTROLS}}}],
        operation="replace",
    ),
    f"a transaction of {TRANSACTION:,} inserts": in_transaction([{"_id": number} for number in range(TRANSACTION)]),
    "a transaction of 48 MB": in_transaction([{"_id": number, "a": "x" * 8_000_000} for number in range(6)]),
}

DOCUMENTS: Mapping[str, Hostile] = {**VALUES, **KEYS, **OPERATIONS, **LARGE}
