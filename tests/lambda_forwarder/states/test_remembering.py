"""
A property over random lives of documents: whatever is repeated, rewound or killed, what a mapper is told is the truth, or it is
``Uncertain``, and a change that was mapped before is told the same again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryLastStates
from lambda_forwarder.states.remembering import Remembering
from tailrace.change import Change
from tailrace.events import Mappers, remembers
from tailrace.questions.images import Uncertain
from tailrace.questions.paths import same
from tailrace.wire.change import Namespace, Poison, UpdateDescription
from tests.lambda_forwarder.values import forever, message

PATHS = ("status", "address", "address.city")
VALUES: list[Any] = [None, 1, 1.0, True, "cancelled", [1], [1, 2], {"city": "Bonn"}, {"city": "Rome", "zip": 1}]

FIRST = Change(
    id="821",
    sequence=1,
    operation_type="insert",
    ns=Namespace(db="payments", coll="payments"),
    cluster_time="9.1",
    document_key={"_id": "a"},
)

Document = dict[str, Any]
Kind = Literal["insert", "replace", "undescribed", "described", "delete", "stub", "unread"]


@remembers(*PATHS)
def mapper(change: Change) -> None:
    """The test asks the questions itself."""


MAPPERS: Mappers = {"payments": (mapper,)}


@dataclass(frozen=True)
class Fact:
    """A change with the document before and after it."""

    change: Change
    before: Document | None
    after: Document | None
    kind: Kind


documents = st.fixed_dictionaries(
    {}, optional={"status": st.sampled_from(VALUES), "address": st.sampled_from(VALUES), "other": st.integers(0, 1)}
)


@st.composite
def lives(draw: st.DrawFn, *, transactions: bool = True, replaced: bool = False) -> list[Fact]:
    """
    The changes of two documents, as a server reports them without pre-images. With ``transactions`` some share a time. With
    ``replaced`` no document is updated.
    """
    states: dict[str, Document | None] = {"a": None, "b": draw(documents)}  # the stream begins in the life of b
    facts: list[Fact] = []
    second = 1_795_330_000
    for sequence in range(1, draw(st.integers(1, 14)) + 1):
        name = draw(st.sampled_from("aab"))
        before = states[name]
        others = (
            ["replace", "delete"]
            if replaced
            else ["replace", "undescribed", "described", "described", "delete", "stub", "unread"]
        )
        kind: Any = "insert" if before is None else draw(st.sampled_from(others))
        after = None if kind == "delete" else draw(documents)
        fields: Document = {}
        if kind == "described":
            assert before is not None
            fields = draw(updates(before))
            after = applied(before, fields)
        second += draw(st.integers(0, 1)) if transactions else 1
        operation = kind if kind in ("insert", "replace", "delete") else "update"
        change = Change(
            id=f"82{sequence:08d}",
            sequence=sequence,
            operation_type=operation,
            ns=Namespace(db="payments", coll="payments"),
            cluster_time=f"{second}.1",
            document_key={"_id": name},
            full_document=after if kind in ("insert", "replace", "undescribed") else None,
            update_description=UpdateDescription(updated_fields=fields) if kind == "described" else None,
            poison=Poison(reason="binary of a wrong length") if kind == "stub" else None,
        )
        facts.append(Fact(change, before, after, kind))
        states[name] = after
    return facts


def updates(before: Document) -> st.SearchStrategy[Document]:
    """
    Descriptions of an update of this document. A server does not describe a field whose value stays. It describes 1 after 1.0,
    which the questions then count as a change only without images; here it does not.
    """
    whole = st.fixed_dictionaries({}, optional={name: st.sampled_from(VALUES) for name in ("status", "address")})
    nested = st.fixed_dictionaries({"address.city": st.sampled_from(VALUES)})
    shapes = st.one_of(whole, nested) if isinstance(before.get("address"), dict) else whole
    return shapes.map(lambda fields: {path: value for path, value in fields.items() if not _has(before, path, value)})


def _has(document: Document, path: str, value: Any) -> bool:
    found = document.get("address", {}).get("city", ...) if path == "address.city" else document.get(path, ...)
    return same(found, value)


def applied(before: Document, fields: Document) -> Document:
    after = {**before, "other": 2}
    for path, value in fields.items():
        if path == "address.city":
            after["address"] = {**after["address"], "city": value}
        else:
            after[path] = value
    return after


def answers(change: Change, *, assume_current: bool = False) -> dict[str, Any]:
    """Every answer about a change; ``Uncertain`` in the place of one that is not certain."""
    found: dict[str, Any] = {}
    for path in PATHS:
        questions: dict[str, Callable[[], Any]] = {
            f"changed {path}": partial(change.changed, path, assume_current=assume_current),
            f"was {path}": partial(change.was, path, assume_current=assume_current),
            **{
                f"became {path} {value!r}": partial(change.became, path, value, assume_current=assume_current)
                for value in VALUES
            },
        }
        for name, ask in questions.items():
            try:
                found[name] = ask()
            except Uncertain:
                found[name] = Uncertain
    return found


def truth(fact: Fact) -> dict[str, Any]:
    """The answers with both images."""
    change = replace(fact.change, full_document=fact.after, full_document_before_change=fact.before, update_description=None)
    return answers(replace(change, post_image=True) if change.operation_type == "update" else change)


class KilledStates(MemoryLastStates):
    """Ends the process at a write: before it, in the middle, or after it."""

    kill: str = ""

    def write(self, changed: Any, time_left: Any) -> None:
        kill, self.kill = self.kill, ""
        part = dict(list(changed.items())[: len(changed) // 2]) if kill == "in the middle" else changed
        if kill != "before":
            super().write(part, time_left)
        if kill:
            raise Unavailable("killed")


@st.composite
def readings(draw: st.DrawFn, count: int) -> list[tuple[int, int, int, str]]:
    """
    Deliveries as (generation, first, last, kill): those of one generation are contiguous or overlap. A new generation begins
    anywhere before, as after a rewind, and sometimes later, as after an accepted gap.
    """
    made: list[tuple[int, int, int, str]] = []
    generation, reached = 1, 0
    for _ in range(draw(st.integers(1, 10))):
        if draw(st.integers(0, 3)) == 0:
            generation += 1
            reached = draw(st.integers(0, count))
        first = draw(st.integers(max(0, reached - 3), reached))
        last = draw(st.integers(first, min(count, first + 5)))
        made.append((generation, first, last, draw(st.sampled_from(["", "", "", "before", "in the middle", "after"]))))
        reached = max(reached, last) if not made[-1][3] else reached
    return made


def delivered(states: MemoryLastStates, facts: Sequence[Fact], generation: int) -> list[Change]:
    """Remember these changes as one message, and return them as a mapper sees them."""
    changes = [replace(fact.change, sequence=fact.change.sequence + 100 * generation) for fact in facts]
    whole = [change for change, fact in zip(changes, facts, strict=True) if fact.kind != "unread"]
    remembering = Remembering(states=states, mappers=MAPPERS)
    return list(remembering.around(message(*changes, generation=generation), whole, forever))


@settings(max_examples=60)
@given(st.data())
def test_answer_is_the_truth_or_uncertain(data: st.DataObject) -> None:
    """And the same whenever the change is mapped again, as long as the store has its time."""
    facts = data.draw(lives())
    states, first = KilledStates(), dict[str, dict[str, Any]]()
    for generation, start, end, kill in data.draw(readings(len(facts))):
        states.kill = kill
        try:
            seen = delivered(states, facts[start:end], generation)
        except Unavailable:
            continue
        finally:
            states.kill = ""
        of = {fact.change.id: fact for fact in facts}
        for change in seen:
            if of[change.id].kind == "stub":
                continue
            told, true = answers(change), truth(of[change.id])
            assert {
                name: value for name, value in told.items() if value is not Uncertain and repr(value) != repr(true[name])
            } == {}
            before = first.setdefault(change.id, told)
            certain = {name: value for name, value in before.items() if value is not Uncertain}
            assert {
                name: told[name] for name in certain if repr(told[name]) not in (repr(certain[name]), repr(Uncertain))
            } == {}


def test_true_is_not_taken_for_1() -> None:
    """Python considers them equal."""
    states, seen = MemoryLastStates(), list[Change]()
    for sequence, value in enumerate((True, 1, True), 1):
        change = replace(
            FIRST, id=f"82{sequence}", sequence=sequence, cluster_time=f"9.{sequence}", full_document={"status": value}
        )
        change = replace(change, operation_type="replace") if seen else change
        seen += delivered(states, [Fact(change, None, None, "replace")], 1)
    assert [(change.changed("status"), change.was("status")) for change in seen] == [(True, None), (True, True), (True, 1)]


@settings(max_examples=60)
@given(st.data())
def test_repeat_gets_the_same_answers(data: st.DataObject) -> None:
    """After a crash, in other messages, and after a rewind. The first time all changes but the first of ``b`` are certain."""
    facts = data.draw(lives(transactions=False, replaced=True))
    states = MemoryLastStates()
    first = {change.id: answers(change) for fact in facts for change in delivered(states, [fact], 1)}
    begun: set[str] = set()
    for fact in facts:
        if fact.before is None or fact.change.document_key["_id"] in begun:
            assert first[fact.change.id] == truth(fact)
        begun.add(fact.change.document_key["_id"])
    for generation in (1, 2):
        start = data.draw(st.integers(0, len(facts)))
        while start < len(facts):
            end = data.draw(st.integers(start + 1, len(facts)))
            for change in delivered(states, facts[start:end], generation):
                assert answers(change) == first[change.id]
            start = end


OPERATIONS = st.sampled_from(["update", "replace"])


@settings(max_examples=60)
@given(st.data())
def test_final_value_is_seen_once_with_looked_up_documents(data: st.DataObject) -> None:
    """
    Without descriptions and pre-images, an update shows a later state of its document, or none, and another one each time it is
    read. With ``assume_current`` a final value becomes true at one change, whatever is repeated. A replace shows the document
    just after it: if an update before it showed a later state, the value can become true once more.
    """
    count = data.draw(st.integers(2, 8))
    cancelled = data.draw(st.integers(2, count))
    kinds = data.draw(st.one_of(st.just(["update"] * count), st.lists(OPERATIONS, min_size=count, max_size=count)))
    status = ["created" if sequence < cancelled else "cancelled" for sequence in range(1, count + 1)]
    states, seen = MemoryLastStates(), set[str]()
    deliveries = [(1, 0, count), *data.draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, count - 1), st.just(count))))]
    generations = sorted(generation for generation, _, _ in deliveries)
    looked = 0
    for generation, (_, start, end) in zip(generations, deliveries, strict=True):
        while start < end:
            size = data.draw(st.integers(1, end - start))
            changes = []
            for index in range(start, start + size):
                if kinds[index] == "update":  # each look-up is after the one before
                    shown = looked = data.draw(st.integers(max(index, looked), count - 1))
                else:
                    shown = index
                changes.append(
                    Change(
                        id=f"01{index:08d}",
                        sequence=generation * 100 + index,
                        operation_type="insert" if index == 0 else kinds[index],
                        ns=Namespace(db="payments", coll="payments"),
                        cluster_time=f"{1_795_330_000 + index}.1",
                        document_key={"_id": "a"},
                        full_document={"status": status[0 if index == 0 else shown]},
                    )
                )
            told = Remembering(states=states, mappers=MAPPERS).around(
                message(*changes, generation=generation), changes, forever
            )
            seen |= {change.id for change in told if change.became("status", "cancelled", assume_current=True)}
            start += size
    assert len(seen) >= 1
    assert len(seen) == 1 or "replace" in kinds
