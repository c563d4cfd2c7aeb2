"""The entries that the writer commits: numbered, one after another on each document."""

from dataclasses import dataclass
from typing import Literal

from tailrace.change import Change

Kind = Literal["insert", "update", "replace", "delete"]
NUMBER = "n"  # the field that carries an entry's number


@dataclass(frozen=True, slots=True)
class Entry:
    """The ``number``-th write of a document, from 1. A delete leaves no field, so its number is 0."""

    document: str
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.document} {self.kind} {self.number or ''}".rstrip()


class Ledger:
    """Every committed entry of every document, in the order it was committed."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[Kind]] = {}
        self.count = 0

    @property
    def documents(self) -> list[str]:
        return list(self._kinds)

    def next_number(self, document: str) -> int:
        return len(self._kinds.get(document, ())) + 1

    def exists(self, document: str) -> bool:
        """Whether the document exists after its last entry."""
        kinds = self._kinds.get(document, [])
        return bool(kinds) and kinds[-1] != "delete"

    def commit(self, document: str, kind: Kind) -> None:
        self._kinds.setdefault(document, []).append(kind)
        self.count += 1

    def entries(self, document: str) -> list[Entry]:
        """Return the entries that must arrive, in order."""
        kinds = self._kinds.get(document, ())
        return [Entry(document, kind, _number(kind, number)) for number, kind in enumerate(kinds, 1)]


def entry_of(change: Change) -> Entry:
    """Return the entry that a change is about, from the change alone."""
    kind = change.operation_type
    if kind == "update" and change.update_description:
        number = change.update_description.updated_fields.get(NUMBER, -1)
    else:
        number = _number(kind, (change.full_document or {}).get(NUMBER, -1))
    return Entry(str(change.document_key.get("_id")), kind, number)


def _number(kind: str, number: int) -> int:
    return 0 if kind == "delete" else number
