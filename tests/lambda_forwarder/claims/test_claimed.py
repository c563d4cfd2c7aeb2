"""A claimed change is restored only from an object that matches its claim byte for byte."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from lambda_forwarder.claims.claimed import fetched, runs
from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.in_memory import MemoryClaims
from lambda_forwarder.model.parked import Parked, light
from lambda_forwarder.ports import Claims
from tailrace.change import Change
from tailrace.message import ChangeMessage, unpack
from tailrace.wire.change import Namespace
from tailrace.wire.message import DECODED_LIMIT, encode_change
from tests.lambda_forwarder.values import cancelled, claiming, forever, inserted, message

KEY = "payments/1.json"
WHOLE = inserted("a", 1, note="x" * 1_000)


def restored(told: ChangeMessage, claims: Claims | None) -> tuple[list[Change], list[Parked]]:
    """Return the changes of all runs, without claims, and the parked items."""
    changes: list[Change] = []
    parked: list[Parked] = []
    for part in runs(told):
        run, unclaimed = fetched(part, claims, forever)
        changes += [replace(change, claim=None) for change in run.changes]
        parked += unclaimed
    return changes, parked


@pytest.mark.parametrize("whole", [WHOLE, cancelled()], ids=["insert", "update"])
def test_claimed_change_is_restored(whole: Change) -> None:
    """With every document and description that was left out."""
    change, content = claiming(whole)
    assert change.full_document is None
    assert restored(message(change), MemoryClaims(objects={KEY: content})) == ([whole], [])


def test_restored_change_keeps_its_claim() -> None:
    """A parked item has the claim and not the fetched documents."""
    change, content = claiming(WHOLE)
    run, _ = fetched(message(change), MemoryClaims(objects={KEY: content}), forever)
    assert light(run.changes[0]) == change


def test_changes_keep_their_order_around_claims() -> None:
    changes = [inserted(str(number), number) for number in range(1, 8)]
    claims, sent = MemoryClaims(), list(changes)
    for index in (0, 3, 4, 6):
        sent[index], claims.objects[str(index)] = claiming(changes[index], key=str(index))
    assert restored(message(*sent), claims) == (changes, [])


@pytest.mark.parametrize(
    ("claimed", "sizes"),
    [("", []), ("..", [2]), ("x", [1]), ("xx", [1, 1]), (".x..x", [1, 1, 2, 1]), ("..x", [2, 1]), ("x.", [1, 1])],
)
def test_claimed_change_is_a_run_of_its_own(claimed: str, sizes: list[int]) -> None:
    """Only one is in memory at a time. All other changes stay together."""
    changes = [inserted(str(number), number) for number in range(len(claimed))]
    sent = [claiming(change)[0] if mark == "x" else change for change, mark in zip(changes, claimed, strict=True)]
    cut = [run.changes for run in runs(message(*sent))]
    assert [len(run) for run in cut] == sizes
    assert [change for run in cut for change in run] == sent


def _other(**fields: Any) -> Callable[[Change, bytes], tuple[Change, bytes]]:
    return lambda change, _: (replace(change, **fields), encode_change(WHOLE))


def _claim(**fields: Any) -> Callable[[Change, bytes], tuple[Change, bytes]]:
    return lambda change, content: (_reclaimed(change, **fields), content)


def _reclaimed(change: Change, **fields: Any) -> Change:
    assert change.claim is not None
    return replace(change, claim=replace(change.claim, **fields))


def _object(content: bytes) -> Callable[[Change, bytes], tuple[Change, bytes]]:
    return lambda change, _: (claiming(WHOLE)[0], content)


def _signed(content: bytes) -> Callable[[Change, bytes], tuple[Change, bytes]]:
    """An object that matches its claim, whatever it contains."""
    digest = hashlib.sha256(content).hexdigest()
    return lambda change, _: (_reclaimed(change, bytes=len(content), sha256=digest), content)


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (_object(encode_change(WHOLE) + b" "), "the object has more than "),
        (_object(encode_change(WHOLE)[:-1]), "the object has only "),
        (_object(encode_change(WHOLE).replace(b"sub-0001", b"sub-0002")), "SHA-256 differs"),
        (_claim(sha256="0" * 64), "SHA-256 differs"),
        (_claim(bytes=0), "states 0 bytes"),
        (_claim(bytes=-1), "states -1 bytes"),
        (_claim(bytes=DECODED_LIMIT + 1), "the limit is 67108864"),
        (_claim(bucket="theirs"), "the object is in the bucket 'theirs'"),
        (_claim(key="gone"), "there is no object 'gone'"),
        (_signed(b"hello"), "not a change"),
        (_signed(b"\xff\xfe"), "not a change"),
        (_signed(b"[" * 100_000), "nested 100000 deep"),
        (_signed(b'{"id": "82"}'), "not a change"),
        (_signed(encode_change(WHOLE).replace(b'"sub-0001"', b"[" * 300 + b"]" * 300)), "nested 302 deep; the limit is 250"),
        (_signed(b"[" + (b'{"a":' * 95 + b"0" + b"}" * 95 + b",") * 20_000 + b"0]"), "more than the 402 MiB of memory"),
        (_other(id="another"), "another change"),
        (_other(sequence=2), "another change"),
        (_other(ns=Namespace(db="payments", coll="other")), "another change"),
        (_other(document_key={"_id": "b"}), "another change"),
        (_other(operation_type="delete"), "another change"),
        (_other(cluster_time="1.1"), "another change"),
    ],
)
def test_object_that_does_not_match_its_claim_parks_the_change(
    forge: Callable[[Change, bytes], tuple[Change, bytes]], reason: str
) -> None:
    """Its neighbours are published."""
    change, content = forge(*claiming(WHOLE))
    before, after = inserted("before", 7), inserted("after", 8)
    changes, [parked] = restored(message(before, change, after), MemoryClaims(objects={KEY: content}))
    assert changes == [before, after]
    assert parked.reason.startswith("the claimed change cannot be fetched: ")
    assert reason in parked.reason
    assert unpack(bytes(parked.message).decode()).changes == (change,)


def test_claimed_change_without_a_bucket_setting_is_misconfigured() -> None:
    """Nothing is parked and nothing skipped."""
    with pytest.raises(Misconfigured, match=r"^FORWARDER_CLAIM_BUCKET: it is missing"):
        restored(message(claiming(WHOLE)[0]), None)


def test_whole_change_needs_no_bucket() -> None:
    assert restored(message(WHOLE), None) == ([WHOLE], [])


def test_nothing_is_fetched_when_the_time_is_up() -> None:
    with pytest.raises(Unavailable, match="the time was up"):
        fetched(message(claiming(WHOLE)[0]), MemoryClaims(), lambda: 0.0)
