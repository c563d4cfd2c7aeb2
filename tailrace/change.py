"""A change as a mapper sees it: what the tailer wrote, and what may be asked of it."""

from typing import Any

from tailrace.questions import questions
from tailrace.questions.patches import Patch
from tailrace.wire import change as wire
from tailrace.wire.change import Document


class Change(wire.Change, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    The fields are what the server sent. The questions below them are what it means; a question that the server did not
    tell enough to answer raises ``Uncertain``, and the change is parked rather than told wrongly.
    Paths are dotted, as in updates: ``address.city``, ``items.0.price``. A path means every field that MongoDB writes so: the
    field ``city`` of ``address``, and a field with the name ``address.city``. Where a document has both, they have different
    answers and both documents are known, the answer is Uncertain. Where they are not known (no post-image, and a server
    before MongoDB 8.2), ``changed("address")`` takes an update's ``address.city`` to lie in ``address``, unless a document of
    the change shows a name with that dot.
    """

    @property
    def created(self) -> bool:
        """Whether this change brought the document into being."""
        return self.operation_type == "insert"

    @property
    def deleted(self) -> bool:
        """Whether this change removed the document, alone: what goes with its whole collection has no change of its own."""
        return self.operation_type == "delete"

    @property
    def before(self) -> Document | None:
        """
        The document just before the change; None where there was none.

        Raises:
            Uncertain: there is no pre-image. Whoever can do without reads ``full_document_before_change``.
        """
        return questions.before(self)

    @property
    def after(self) -> Document | None:
        """
        The document just after the change; None where there is none: the post-image, or an update applied to its pre-image.

        Raises:
            Uncertain: an update without post-image, and without pre-image or description; or one of its paths can be read in
                more than one way. Whoever can do with a later state reads ``full_document``.
        """
        return questions.after(self)

    def became(self, path: str, value: Any, *, assume_new: bool = False) -> bool:
        """
        Whether this change is the one that gave ``path`` this value: it is there after the change, and was not before.

        Never judged by the looked-up document. ``assume_new`` says what to do where only the value before is not known (a
        replace without pre-image): take it for another one, so that an event may be told again, but is never missed.

        Raises:
            Uncertain: the value after is not known, or the value before is not and nothing is assumed of it.
        """
        return questions.became(self, path, value, assume_new=assume_new)

    def changed(self, path: str, *, assume_new: bool = False) -> bool:
        """
        Whether this change left another value at ``path`` than was there: set, replaced or removed. An insert changes every
        field it has, a delete none: ask ``deleted``. ``assume_new`` as in ``became``.

        Raises:
            Uncertain: the server did not tell whether it changed, and nothing is assumed.
        """
        return questions.changed(self, path, assume_new=assume_new)

    def diff(self) -> Patch:
        """
        The JSON Patch (RFC 6902) that turns ``before`` into ``after``, where no document is null.

        It is exact whenever it is given. It is one replacement of the whole document for a replace without a pre-image, and
        for documents that are too large or too deeply nested to be compared (``tailrace.questions.patches``).

        Raises:
            Uncertain: an update of which not enough is told to write one.
        """
        return questions.diff(self)
