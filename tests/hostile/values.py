"""Small documents: every BSON type at its extremes, wrong lengths, invalid text and unusual names."""

from collections.abc import Mapping

from bson import Decimal128

from tests import bson_bytes as b
from tests.bson_bytes import document, element, text
from tests.hostile.mappers import CONTROL_NAME, CONTROLS, LONG_NAME, ODD_NAME
from tests.hostile.writes import Hostile, holding

DEPTH = 180  # levels, MongoDB
NOT_UTF8 = b"\xff\xed\xa0\x80\xc0\x80"  # an invalid byte, a lone surrogate, and a zero in two bytes

DOUBLES = (
    "000000000000f87f 010000000000f0ff 000000000000f07f 000000000000f0ff 0000000000000080 0100000000000000 ffffffffffffef7f"
)
"""NaN, a signalling NaN with its sign, both infinities, minus zero, the least and the most."""
DECIMALS = ("NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "-0E-6176", f"{'9' * 34}E+6111", "1E-6176")
SUBTYPES = (0, 1, 3, 4, 5, 6, 8, 9, 127, 255)


def numbered(kind: int, *values: bytes) -> list[bytes]:
    return [element(kind, b"%d.%d" % (kind, number), value) for number, value in enumerate(values)]


EXTREMES = [
    *numbered(b.INT32, b.number(-(2**31)), b.number(2**31 - 1)),
    *numbered(b.INT64, b.number(-(2**63), 8), b.number(2**63 - 1, 8)),
    *numbered(b.DOUBLE, *map(bytes.fromhex, DOUBLES.split())),
    *numbered(b.DECIMAL, *(Decimal128(value).bid for value in DECIMALS), b"\xff" * 16),
    *numbered(b.DATE, *(b.number(value, 8) for value in (-(2**63), 2**63 - 1, -1, 0))),
    *numbered(b.TIMESTAMP, bytes(8), b"\xff" * 8),
    *numbered(b.OBJECT_ID, bytes(12), b"\xff" * 12),
    *numbered(b.BINARY, *(b.binary(subtype, bytes(size)) for subtype in SUBTYPES for size in (0, 1, 16))),
    *numbered(b.REGEX, b"(a{1,\0zzxuslmi\0", b"\0\0"),
    *numbered(b.CODE, text(b"")),
    *numbered(b.SCOPED, b.scoped(b"f", document(element(b.SCOPED, b"f", b.scoped(b"g", document()))))),
    *numbered(b.SYMBOL, text(b"s")),
    *numbered(b.POINTER, text(b"d.c") + bytes(12)),
    *numbered(b.BOOL, b"\0", b"\1"),
    *(element(kind, b"kind %d" % kind) for kind in (b.NULL, b.UNDEFINED, b.MIN_KEY, b.MAX_KEY)),
    *numbered(b.TEXT, text(b""), text(b"\0")),
    *numbered(b.DOCUMENT, document()),
    *numbered(b.ARRAY, document()),
]
NAMES = (b"", b".", b"a.b", b"..", b"$set", b"$", b"\n", b"\x01", CONTROLS.encode())

VALUES: Mapping[str, Hostile] = {
    "every type at its extremes": holding(*EXTREMES),
    "binary subtype 2, wrong inner length": holding(element(b.BINARY, b"a", b.binary(2, b.number(99) + b"abc"))),
    "binary subtype 2, negative inner length": holding(element(b.BINARY, b"a", b.binary(2, b"\xff" * 4))),
    "binary subtype 2, no inner length": holding(element(b.BINARY, b"a", b.binary(2, b""))),
    "text that is not UTF-8": holding(element(b.TEXT, b"a", text(NOT_UTF8))),
    "a name that is not UTF-8": holding(element(b.INT32, NOT_UTF8, b.number(1))),
    "code, symbol, regex and reference that are not UTF-8": holding(
        element(b.CODE, b"code", text(NOT_UTF8)),
        element(b.SYMBOL, b"symbol", text(NOT_UTF8)),
        element(b.REGEX, b"regex", NOT_UTF8 + b"\0\xff\0"),
        element(b.POINTER, b"pointer", text(NOT_UTF8) + bytes(12)),
        element(b.SCOPED, b"scoped", b.scoped(NOT_UTF8, document(element(b.INT32, NOT_UTF8, b.number(1))))),
    ),
    "names that are empty, dotted, with $, and of controls": holding(
        *(element(b.DOCUMENT, name, document(element(b.INT32, name, b.number(1)))) for name in NAMES)
    ),
    "a field twice, at each depth": holding(
        *[element(b.DOCUMENT, b"a", document(*[element(b.INT32, b"b", b.number(1))] * 2))] * 2
    ),
    "values that look like Extended JSON": holding(
        element(b.DOCUMENT, b"a", document(element(b.TEXT, b"$oid", text(b"no")), element(b.MIN_KEY, b"$minKey")))
    ),
    "an array with names in the place of its indexes": holding(
        element(b.ARRAY, b"a", document(*(element(b.NULL, name) for name in (b"", b"x", b"1", b"1"))))
    ),
    "controls, bidi and no characters": holding(element(b.TEXT, b"a", text(CONTROLS.encode() + b"\0"))),
    f"{DEPTH} documents in one another": holding(element(b.DOCUMENT, b"a", b.nested(b.DOCUMENT, DEPTH - 1, document()))),
    f"{DEPTH} lists in one another": holding(element(b.ARRAY, b"a", b.nested(b.ARRAY, DEPTH - 1, document()))),
    "a collection with a name of 255 bytes": holding(collection=LONG_NAME),
    "a collection with controls in its name": holding(collection=CONTROL_NAME),
    "a collection with emoji, dots and slashes in its name": holding(collection=ODD_NAME),
}
