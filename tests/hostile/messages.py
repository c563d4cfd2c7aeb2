"""Messages and claims that somebody with access to the account may write: no other lane may be delayed by them."""

import json
from collections.abc import Mapping

from tests.hostile.mappers import CONTROLS
from tests.hostile.outcome import PUBLISHED
from tests.hostile.sent import (
    LANE,
    Message,
    bomb,
    change,
    claimed,
    deep,
    envelope,
    of,
    raw,
    squeezed,
    text,
    update,
    whole,
    within,
)

NOT_OURS = "not a change message"
SMALL = json.dumps({name: value for name, value in change().items() if not name.endswith("ocument")}).encode()

ENVELOPES: Mapping[str, Message] = {
    "no JSON": text("hello", NOT_OURS),
    "a null": text("null", NOT_OURS),
    "a number of a million digits": text("1" * 1_000_000, NOT_OURS),
    "a megabyte of brackets": text("[" * 1_000_000, NOT_OURS),
    "a megabyte of spaces": text(" " * 1_000_000, NOT_OURS),
    "JSON with something behind it": text(lambda stream: envelope(stream, [change()]) + "x", NOT_OURS),
    "version 99": of(change(), expected=["newer than this reader"], version=99),
    "version -1": of(change(), expected=["the first version is 1"], version=-1),
    "a version of text": of(change(), expected=[NOT_OURS], version="1"),
    "a version twice": text(lambda stream: envelope(stream, [change()]).replace("{", '{"version": 99, ', 1), PUBLISHED),
    "changes twice": text(
        lambda stream: envelope(stream, [change()]).replace('"changes"', '"changes": [{}], "changes"', 1), PUBLISHED
    ),
    "an encoding that nobody knows": of(change(), expected=[NOT_OURS], encoding="zstd"),
    "no changes": of(),
    "changes that are an object": text(lambda stream: envelope(stream, {}), NOT_OURS),
    "changes that are numbers": text(lambda stream: envelope(stream, [1, 2]), NOT_OURS),
    "a stream of escapes": text(lambda _: envelope(CONTROLS, [change()]), "the stream's name is"),
    "a stream with a name of 900 kB": text(lambda _: envelope("s" * 900_000, [change()]), "the stream's name is"),
    "a stream without a name": text(lambda _: envelope("", [change()]), "the stream's name is"),
    "a lane of another group": of(change(), lane=LANE + 1),
    "a lane of -1": of(change(), expected=["no stream has this lane"], lane=-1),
    "a lane of 10^400": text(
        lambda stream: envelope(stream, [change()]).replace(f'"lane": {LANE}', f'"lane": 1{"0" * 400}'),
        "no stream has this lane",
    ),
    "a generation of -1": of(change(), expected=["is no generation or sequence"], generation=-1),
    "a generation of 2^63": of(change(), expected=["is no generation or sequence"], generation=2**63),
    "a group of nobody": of(change(), group="x" * 128),
    "501 changes": of(*map(change, range(1, 502)), expected=["500"]),
    "95,000 changes": squeezed(lambda: [b"[", *[SMALL + b","] * 94_999, SMALL, b"]"], "values"),
    "a gzip of 200 MB of spaces": squeezed(lambda: bomb(b" ", 200_000_000), "bytes after decompression"),
    "a gzip of brackets": squeezed(lambda: bomb(b"[", 60_000_000), "values"),
    "base64 of nobody": of(change(), expected=[NOT_OURS], encoding="gzip"),
    "a gzip that ends early": text(lambda stream: envelope(stream, "H4sIAAAAAAAA", encoding="gzip"), "incomplete"),
}

CHANGES: Mapping[str, Message] = {
    "a change that is empty": of({}, expected=[NOT_OURS]),
    "an id that is a number": of(change(id=7), expected=[NOT_OURS]),
    "an id of escapes": of(change(id=CONTROLS)),
    "an id of 900 kB": of(change(id="8" * 900_000)),
    "an id without text": of(change(id="")),
    "a number of -1": of(change(sequence=-1), expected=["is no generation or sequence"]),
    "a number of 2^63": of(change(sequence=2**63), expected=["is no generation or sequence"]),
    "a number with a fraction": of(change(sequence=1.5), expected=[NOT_OURS]),
    "numbers that fall": of(change(2), change(1), expected=[PUBLISHED, PUBLISHED]),
    "a number twice": of(change(1), change(1), expected=[PUBLISHED]),
    "an operation of nobody": of(change(operationType=CONTROLS), expected=[]),
    "a namespace that is null": of(change(ns=None), expected=[NOT_OURS]),
    "a namespace of escapes": of(change(ns={"db": CONTROLS, "coll": CONTROLS}), expected=[]),
    "a key that is a list": of(change(documentKey=[]), expected=[NOT_OURS]),
    "a key that is nested": of(change(documentKey={"_id": json.loads(deep(900))}), expected=["nested"]),
    "a document name of 900 kB": of(change(document="n" * 900_000)),
    "a document name of escapes": of(change(document=CONTROLS)),
    "a wallTime of yesterday": of(change(wallTime="yesterday"), expected=["is dated"]),
    "a wallTime in another zone": of(change(wallTime="2026-11-22T06:58:00+09:00"), expected=["is dated"]),
    "a wallTime of the year 9999": of(change(wallTime="9999-12-31T23:59:59.999Z")),
    "a clusterTime of nobody": of(change(clusterTime="NaN.1"), expected=["is dated"]),
    "a transaction of text": of(change(txn="x"), expected=[NOT_OURS]),
    "a description that is a list": of(change(updateDescription=[]), expected=[NOT_OURS]),
    "an update of the element 10^9": of(update("a.1000000000", [])),
    "an update of the element 1,400,000": of(update("a.1400000", [])),
    "an update of a path of 100,000 names": of(update("a" + ".a" * 100_000, {})),
    "an update of names that could be read in many ways": of(
        update(".".join("a" * 190), json.loads(deep(150, '{"a":', "1", "}")))
    ),
    "a list that is cut to 10^18": of(update("b", [], truncatedArrays=[{"field": "a", "newSize": 10**18}])),
    "a list that is cut to -1": of(update("b", [1, 2], truncatedArrays=[{"field": "a", "newSize": -1}])),
    "a list that is cut to text": of(update("b", [], truncatedArrays=[{"field": "a", "newSize": "x"}])),
    "a cut of nobody": of(update("b", [], truncatedArrays=[{}])),
    "paths that are told wrongly": of(update("a.b", {}, disambiguatedPaths={"a.b": [1, None, {}]}), expected=[NOT_OURS]),
    "a replace of 400 kB, 150 deep, with its images": of(
        change(
            operationType="replace",
            fullDocument=json.loads(deep(150, '{"a":', json.dumps(["x"] * 80_000), "}")),
            fullDocumentBeforeChange=json.loads(deep(150, '{"a":', json.dumps(["y"] * 80_000), "}")),
        )
    ),
    "a stub with a reason of escapes": of(
        change(
            poison={"reason": CONTROLS * 1_000, "raw": {"bucket": "elsewhere", "key": CONTROLS, "bytes": -1, "sha256": "x"}}
        ),
        expected=["\\u001b"],
    ),
    "a stub without a reason": of(change(poison={}), expected=[NOT_OURS]),
}

VALUES: Mapping[str, Message] = {
    "a field twice": raw('{"a": 1, "a": 2}'),
    "the number 1e999": raw('{"a": 1e999}', NOT_OURS),
    "a number of 900,000 digits": raw('{"a": ' + "9" * 900_000 + "}", NOT_OURS),
    "keys of lone surrogates": raw('{"\\ud800": 1}', NOT_OURS),
    "text of lone surrogates": raw('{"a": "\\udfff\\ud800"}', NOT_OURS),
    "keys beyond the BMP": raw('{"\U0010ffff": {"\\ud83d\\ude00": 1}}'),
    "keys of escapes": raw(json.dumps({CONTROLS: CONTROLS})),
    "240 lists in one another": raw('{"a": ' + deep(240) + "}"),
    "900 lists in one another": raw('{"a": ' + deep(900) + "}", "nested 902 deep"),
    "990 lists in one another": raw('{"a": ' + deep(990) + "}", "nested too deeply"),
    "10,000 lists in one another": raw('{"a": ' + deep(10_000) + "}", NOT_OURS),
    "10,000 documents in one another": raw(deep(10_000, '{"a":', "1", "}"), NOT_OURS),
    "990 lists in one another, compressed": squeezed(
        lambda: within(b'{"a": ' + deep(990).encode() + b"}"), "nested too deeply"
    ),
    "a document of 990,000 numbers": squeezed(lambda: within(b'{"a": [1' + b",1" * 990_000 + b"]}")),
    "a document of 990,000 empty documents": squeezed(lambda: within(b'{"a": [{}' + b",{}" * 495_000 + b"]}")),
    "a document of 330,000 names": squeezed(
        lambda: within(b'{"a": 1' + b"".join(b',"%x":{}' % number for number in range(330_000)) + b"}")
    ),
    "60 MB of ASCII": squeezed(lambda: within(b'{"a": "' + b"x" * 60_000_000 + b'"}')),
    "60 MB of ASCII and one emoji": squeezed(lambda: within(b'{"a": "' + b"x" * 60_000_000 + "😀".encode() + b'"}'), "memory"),
    "20 MB of quotes": squeezed(lambda: within(b'{"a": "' + b'\\"' * 20_000_000 + b'"}')),
}

CLAIMS: Mapping[str, Message] = {
    "a claim with another digest": claimed(lambda: whole("{}"), "SHA-256", sha256="0" * 64),
    "a claim with another size": claimed(lambda: whole("{}"), "bytes", bytes=1),
    "a claim of -1 bytes": claimed(lambda: whole("{}"), "bytes", bytes=-1),
    "a claim of 10^18 bytes": claimed(lambda: whole("{}"), "bytes", bytes=10**18),
    "a claim to another bucket": claimed(lambda: whole("{}"), "bucket", bucket="somebody-elses"),
    "a claim to a bucket of escapes": claimed(lambda: whole("{}"), "bucket", bucket=CONTROLS),
    "a claim to nothing": claimed(lambda: whole("{}"), "claim", key="nothing"),
    "a claim to an empty key": claimed(lambda: whole("{}"), "claim", key=""),
    "a claim to a key of 2,000 characters": claimed(lambda: whole("{}"), "claim", key="k" * 2_000),
    "a claim to a key that leads up": claimed(lambda: whole("{}"), "claim", key="../../../etc/passwd"),
    "a claim to a key of escapes": claimed(lambda: whole("{}"), "claim", key=CONTROLS),
    "a claim to another change": claimed(lambda: json.dumps(change(2)).encode(), "another change"),
    "a claim to what is no change": claimed(lambda: b"hello", "not a change"),
    "a claim to 990 lists in one another": claimed(lambda: whole('{"a": ' + deep(990) + "}"), "deep"),
    "a claim to 100,000 lists in one another": claimed(lambda: whole('{"a": ' + deep(100_000) + "}"), "claim"),
    "a claim to 60 MB of ASCII": claimed(lambda: whole('{"a": "' + "x" * 60_000_000 + '"}')),
    "a claim to 64 MiB of ASCII and one emoji": claimed(lambda: whole('{"a": "' + "x" * 67_108_400 + '😀"}'), "memory"),
    "a claim to 60 MB of two bytes a character": claimed(lambda: whole('{"a": "' + "é" * 30_000_000 + '"}')),
    "a claim to 60 MB of empty documents": claimed(lambda: whole('{"a": [{}' + ",{}" * 20_000_000 + "]}"), "memory"),
    "a claim to 1.3 million empty documents": claimed(lambda: whole('{"a": [{}' + ",{}" * 1_300_000 + "]}")),
    "a claim to text that is not UTF-8": claimed(lambda: whole('{"a": "').replace(b'"}', b"") + b'\xff"}}', "claim"),
    "a claim to lone surrogates": claimed(lambda: whole('{"a": "\ud800"}'), "claim"),
    "a claim that has a claim": claimed(
        lambda: json.dumps(change(claim={"bucket": "b", "key": "k", "bytes": 1, "sha256": "s"})).encode()
    ),
}

MESSAGES: Mapping[str, Message] = {**ENVELOPES, **CHANGES, **VALUES, **CLAIMS}
