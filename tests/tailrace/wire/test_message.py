"""The wire format: messages are read as they were packed, and foreign messages are refused with a reason."""

import base64
import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.change import Change
from tailrace.message import unpack
from tailrace.wire.bounds import NESTING_LIMIT
from tailrace.wire.message import (
    CHANGES_LIMIT,
    DECODED_LIMIT,
    GZIP_FROM,
    MESSAGE_LIMIT,
    VALUES_LIMIT,
    TooLarge,
    UnreadableMessage,
    deduplication_id,
    encode_change,
    group_id,
    pack,
)
from tests.samples.changes import a_change

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


def packed(*changes: Change) -> str:
    return pack(stream="payments", generation=1, lane=17, changes=[encode_change(change) for change in changes])


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=5), min_size=1, max_size=4))
def test_unpack_reverses_pack(documents: list[dict[str, Any]]) -> None:
    changes = [a_change(number, full_document=document) for number, document in enumerate(documents, 1)]
    message = unpack(packed(*changes))
    assert message.changes == tuple(changes)
    assert (message.stream, message.generation, message.lane) == ("payments", 1, 17)


@given(st.text(st.characters(codec="utf-8")))
def test_body_holds_only_characters_that_sqs_accepts(text: str) -> None:
    """Every character is legal in XML 1.0, also where JSON allows more."""
    body = packed(a_change(full_document={"text": text, text: 1}))
    assert all(c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000" for c in body)


def test_single_small_change_is_plain_json() -> None:
    """A person can read it in the SQS console."""
    body = json.loads(packed(a_change()))
    assert body["encoding"] == "identity"
    assert body["changes"][0]["operationType"] == "insert"
    assert body["changes"][0]["documentKey"] == {"_id": f"{1:024x}"}


def test_optional_fields_are_omitted() -> None:
    assert "null" not in packed(a_change(full_document=None))


def test_many_changes_are_compressed() -> None:
    changes = [a_change(number) for number in range(500)]
    body = packed(*changes)
    assert json.loads(body)["encoding"] == "gzip"
    assert GZIP_FROM < len(b"".join(map(encode_change, changes))) > 3 * len(body)


def test_same_changes_give_the_same_bytes() -> None:
    """Compression adds no timestamp."""
    changes = [a_change(number) for number in range(500)]
    assert packed(*changes) == packed(*changes)


def test_change_above_the_message_limit_is_refused() -> None:
    """A document is never cut."""
    noise = base64.b64encode(random.Random(1).randbytes(MESSAGE_LIMIT)).decode()
    with pytest.raises(TooLarge):
        packed(a_change(full_document={"noise": noise}))


def test_change_above_the_readers_limit_is_not_written() -> None:
    """A document may compress well and still exceed the reader's limit."""
    with pytest.raises(TooLarge):
        packed(a_change(full_document={"zeros": "0" * DECODED_LIMIT}))


def envelope(**fields: Any) -> str:
    given = {"version": 1, "stream": "s", "generation": 1, "lane": 0, "encoding": "identity", "changes": []}
    return json.dumps(given | fields)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[]",
        "{}",
        "null",
        '{"version": 1}',
        envelope(version="1"),
        envelope(encoding="zstd"),
        envelope(changes={}),
        envelope(changes=[{"id": "82"}]),
        envelope(encoding="gzip", changes=[]),
        envelope(encoding="gzip", changes="not base64!"),
        envelope(encoding="gzip", changes="é"),
        envelope(generation="huge").replace('"huge"', "9" * 5_000),
        envelope(encoding="gzip", changes=base64.b64encode(b"not gzip").decode()),
        envelope(encoding="gzip", changes=base64.b64encode(gzip.compress(b"[]")[:-9]).decode()),
        envelope(changes=json.loads("[" * 500 + "]" * 500)),
        '{"version": 1, "changes": ' + "[" * 100_000,
    ],
)
def test_foreign_message_is_refused_with_a_reason(body: str) -> None:
    with pytest.raises(UnreadableMessage, match=r"\w+"):
        unpack(body)


def test_gzip_bomb_is_refused_before_it_fills_memory() -> None:
    bomb = base64.b64encode(gzip.compress(b" " * (DECODED_LIMIT + 1))).decode()
    with pytest.raises(UnreadableMessage, match="after decompression"):
        unpack(envelope(encoding="gzip", changes=bomb))


def test_gzip_bomb_of_small_values_is_refused_before_decoding() -> None:
    """A few kilobytes of gzip can hold millions of empty lists."""
    bomb = base64.b64encode(gzip.compress(b"[" + b"[]," * VALUES_LIMIT + b"[]]")).decode()
    with pytest.raises(UnreadableMessage, match="values after decompression"):
        unpack(envelope(encoding="gzip", changes=bomb))


def test_change_with_too_many_values_is_not_written() -> None:
    with pytest.raises(TooLarge, match="values"):
        packed(a_change(full_document={"list": [[]] * VALUES_LIMIT}))
    assert unpack(packed(a_change(full_document={"list": [[]] * 100_000}))).changes[0].full_document


@pytest.mark.parametrize(
    ("limit", "measure"),
    [
        ("DECODED_LIMIT", len),
        ("VALUES_LIMIT", lambda array: sum(map(array.count, (b",", b"[", b"{")))),
    ],
)
def test_writer_and_reader_agree_on_each_limit(
    monkeypatch: pytest.MonkeyPatch, limit: str, measure: Callable[[bytes], int]
) -> None:
    changes = [a_change(number, full_document={"list": [[]] * 5_000}) for number in range(2)]
    body, reached = packed(*changes), measure(b"[" + b",".join(map(encode_change, changes)) + b"]")
    for module in ("tailrace.message", "tailrace.wire.message"):
        monkeypatch.setattr(f"{module}.{limit}", reached)
    assert unpack(packed(*changes)).changes == tuple(changes)
    for module in ("tailrace.message", "tailrace.wire.message"):
        monkeypatch.setattr(f"{module}.{limit}", reached - 1)
    with pytest.raises(TooLarge):
        packed(*changes)
    with pytest.raises(UnreadableMessage, match="after decompression"):
        unpack(body)


HOLE = '"@"'


def forged(changes: str, *, encoding: str) -> str:
    """Return a body that no tailer writes."""
    if encoding == "gzip":
        return envelope(encoding="gzip", changes=base64.b64encode(gzip.compress(changes.encode())).decode())
    return envelope().replace('"changes": []', f'"changes": {changes}')


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_message_with_too_many_changes_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """One invocation has to map and publish, or park, all of them."""
    changes = [a_change(number) for number in range(CHANGES_LIMIT + 1)]
    assert unpack(packed(*changes[1:])).changes == tuple(changes[1:])
    with pytest.raises(TooLarge, match="501 changes"):
        packed(*changes)
    body = forged(f"[{','.join(encode_change(change).decode() for change in changes)}]", encoding=encoding)
    monkeypatch.setattr("tailrace.message._change", None)
    with pytest.raises(UnreadableMessage, match="501 changes in a message; the limit is 500"):
        unpack(body)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
def test_change_nested_too_deeply_is_refused(encoding: str, opening: str, closing: str) -> None:
    """The limit is far below the depth at which a decoder fails."""

    def nested(depth: int) -> str:
        change = encode_change(a_change(full_document={"a": "@"})).decode()
        value = opening * (depth - 2) + "1" + closing * (depth - 2)
        return f"[{change.replace(HOLE, value)}]"

    assert unpack(forged(nested(NESTING_LIMIT), encoding=encoding)).changes[0].full_document
    for depth in (NESTING_LIMIT + 1, 500, 900, 980, 990, 2_000):
        with pytest.raises(UnreadableMessage, match=r"nested|recursion"):
            unpack(forged(nested(depth), encoding=encoding))


def test_message_is_refused_before_decoding_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the available memory and the setting that raises it."""
    body = packed(a_change(full_document={"list": [[]] * 100_000}))
    assert unpack(body, 20_000_000)
    monkeypatch.setattr("tailrace.message._decode_array", None)
    with pytest.raises(UnreadableMessage, match=r"more than the 4 MiB of memory .*\(\[forwarder\] memory\)"):
        unpack(body, 5_000_000)


def test_newer_version_says_deploy_the_reader_first() -> None:
    with pytest.raises(UnreadableMessage, match="deploy the reader first"):
        unpack(envelope(version=2))


@pytest.mark.parametrize("version", [0, -1])
def test_version_below_one_is_unreadable(version: int) -> None:
    with pytest.raises(UnreadableMessage, match=f"version {version} does not exist"):
        unpack(envelope(version=version))


def test_unknown_fields_are_ignored() -> None:
    """A writer may add fields without a new version."""
    body = json.loads(packed(a_change()))
    body["new"] = body["changes"][0]["new"] = {"anything": 1}
    assert unpack(json.dumps(body)).changes == (a_change(),)


def test_deduplication_ids_are_legal_and_depend_only_on_the_message() -> None:
    """Another generation, lane or set of changes is another message."""
    same = {"stream": "payments", "generation": 1, "lane": 17, "ids": ["a", "b"]}
    ids = {deduplication_id(**(same | other)) for other in ({}, {}, {"generation": 2}, {"lane": 1}, {"ids": ["a"]})}  # type: ignore[arg-type]
    assert len(ids) == 4
    assert all(1 <= len(name) <= 128 and name.isalnum() for name in ids)
    assert group_id("payments", 17) == "payments.17"
