"""The wire: what is packed is read again, and what is not ours is refused with a reason."""

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


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=5), min_size=1, max_size=20))
def test_what_is_packed_is_read_again(documents: list[dict[str, Any]]) -> None:
    """Whatever the documents hold, the reader gets the same changes in the same order."""
    changes = [a_change(number, full_document=document) for number, document in enumerate(documents, 1)]
    message = unpack(packed(*changes))
    assert message.changes == tuple(changes)
    assert (message.stream, message.generation, message.lane) == ("payments", 1, 17)


@given(st.text(st.characters(codec="utf-8")))
def test_a_body_holds_only_what_sqs_accepts(text: str) -> None:
    """Every character is legal in XML 1.0, also those that JSON would let through."""
    body = packed(a_change(full_document={"text": text, text: 1}))
    assert all(c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000" for c in body)


def test_a_single_small_change_is_plain_json() -> None:
    """A person can read it in the console."""
    body = json.loads(packed(a_change()))
    assert body["encoding"] == "identity"
    assert body["changes"][0]["operationType"] == "insert"
    assert body["changes"][0]["documentKey"] == {"_id": f"{1:024x}"}


def test_what_is_absent_takes_no_space() -> None:
    """Optional fields are left out, not null."""
    assert "null" not in packed(a_change(full_document=None))


def test_many_changes_are_compressed() -> None:
    """From the threshold on, the array travels as gzip and takes less than it holds."""
    changes = [a_change(number) for number in range(500)]
    body = packed(*changes)
    assert json.loads(body)["encoding"] == "gzip"
    assert GZIP_FROM < len(b"".join(map(encode_change, changes))) > 3 * len(body)


def test_the_same_changes_give_the_same_bytes() -> None:
    """Compression carries no clock."""
    changes = [a_change(number) for number in range(500)]
    assert packed(*changes) == packed(*changes)


def test_what_cannot_fit_is_refused() -> None:
    """A document that does not compress below the limit of a message is an error, never cut."""
    noise = base64.b64encode(random.Random(1).randbytes(MESSAGE_LIMIT)).decode()
    with pytest.raises(TooLarge):
        packed(a_change(full_document={"noise": noise}))


def test_nothing_is_written_that_could_not_be_read() -> None:
    """What compresses well but is larger than the reader's bound is refused too."""
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
def test_what_is_not_ours_is_refused_with_a_reason(body: str) -> None:
    """No body, however broken, gives anything but UnreadableMessage with words in it."""
    with pytest.raises(UnreadableMessage, match=r"\w+"):
        unpack(body)


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    """Decompression stops at the bound."""
    bomb = base64.b64encode(gzip.compress(b" " * (DECODED_LIMIT + 1))).decode()
    with pytest.raises(UnreadableMessage, match="once decompressed"):
        unpack(envelope(encoding="gzip", changes=bomb))


def test_a_bomb_of_many_small_values_is_refused_before_it_is_decoded() -> None:
    """A few kilobytes of gzip can hold millions of empty lists, and each of them would take memory."""
    bomb = base64.b64encode(gzip.compress(b"[" + b"[]," * VALUES_LIMIT + b"[]]")).decode()
    with pytest.raises(UnreadableMessage, match="values once decompressed"):
        unpack(envelope(encoding="gzip", changes=bomb))


def test_what_a_reader_would_refuse_is_not_written() -> None:
    """A change of so many values is too large for a message, however well it is compressed."""
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
def test_writer_and_reader_agree_on_a_limit_to_the_last(
    monkeypatch: pytest.MonkeyPatch, limit: str, measure: Callable[[bytes], int]
) -> None:
    """Exactly as much as the limit is written and read; one above it is neither."""
    changes = [a_change(number, full_document={"list": [[]] * 5_000}) for number in range(2)]
    body, reached = packed(*changes), measure(b"[" + b",".join(map(encode_change, changes)) + b"]")
    monkeypatch.setattr(f"tailrace.wire.message.{limit}", reached)
    assert unpack(packed(*changes)).changes == tuple(changes)
    monkeypatch.setattr(f"tailrace.wire.message.{limit}", reached - 1)
    with pytest.raises(TooLarge):
        packed(*changes)
    with pytest.raises(UnreadableMessage, match="once decompressed"):
        unpack(body)


HOLE = '"@"'


def forged(changes: str, *, encoding: str) -> str:
    """A body that no tailer writes."""
    if encoding == "gzip":
        return envelope(encoding="gzip", changes=base64.b64encode(gzip.compress(changes.encode())).decode())
    return envelope().replace('"changes": []', f'"changes": {changes}')


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_more_changes_than_a_message_has_are_refused_before_they_are_decoded(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """Each would be mapped and published, or parked, in the time of one invocation. Of 500 all are read."""
    changes = [a_change(number) for number in range(CHANGES_LIMIT + 1)]
    assert unpack(packed(*changes[1:])).changes == tuple(changes[1:])
    with pytest.raises(TooLarge, match="501 changes"):
        packed(*changes)
    body = forged(f"[{','.join(encode_change(change).decode() for change in changes)}]", encoding=encoding)
    monkeypatch.setattr("tailrace.wire.reading._change", None)
    with pytest.raises(UnreadableMessage, match="501 changes in a message; the limit is 500"):
        unpack(body)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
def test_a_change_is_read_to_a_depth_that_everybody_can_work_with(encoding: str, opening: str, closing: str) -> None:
    """Deeper than that it is refused, long before the depth at which a decoder fails."""

    def nested(depth: int) -> str:
        change = encode_change(a_change(full_document={"a": "@"})).decode()
        value = opening * (depth - 2) + "1" + closing * (depth - 2)
        return f"[{change.replace(HOLE, value)}]"

    assert unpack(forged(nested(NESTING_LIMIT), encoding=encoding)).changes[0].full_document
    for depth in (NESTING_LIMIT + 1, 500, 900, 980, 990, 2_000):
        with pytest.raises(UnreadableMessage, match=r"nested|recursion"):
            unpack(forged(nested(depth), encoding=encoding))


def test_what_there_is_no_room_for_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the memory that there is and how to get more."""
    body = packed(a_change(full_document={"list": [[]] * 100_000}))
    assert unpack(body, 20_000_000)
    monkeypatch.setattr("tailrace.wire.reading._decode_array", None)
    with pytest.raises(UnreadableMessage, match=r"more than the 4 MiB of memory .*\(\[forwarder\] memory\)"):
        unpack(body, 5_000_000)


def test_a_newer_version_says_what_to_do() -> None:
    """The reader is deployed first."""
    with pytest.raises(UnreadableMessage, match="deploy the reader first"):
        unpack(envelope(version=2))


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_that_there_never_was_is_unreadable(version: int) -> None:
    """They begin with 1."""
    with pytest.raises(UnreadableMessage, match=f"version {version} is none"):
        unpack(envelope(version=version))


def test_unknown_fields_are_ignored() -> None:
    """A writer may add fields without a new version."""
    body = json.loads(packed(a_change()))
    body["new"] = body["changes"][0]["new"] = {"anything": 1}
    assert unpack(json.dumps(body)).changes == (a_change(),)


def test_ids_are_legal_and_depend_on_the_changes_alone() -> None:
    """1 to 128 of SQS's characters; another generation, lane or run is another message."""
    same = {"stream": "payments", "generation": 1, "lane": 17, "ids": ["a", "b"]}
    ids = {deduplication_id(**(same | other)) for other in ({}, {}, {"generation": 2}, {"lane": 1}, {"ids": ["a"]})}  # type: ignore[arg-type]
    assert len(ids) == 4
    assert all(1 <= len(name) <= 128 and name.isalnum() for name in ids)
    assert group_id("payments", 17) == "payments.17"
