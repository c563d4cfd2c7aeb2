"""A change as a mapper sees it: the fields that the tailer wrote, and methods that interpret them."""

from typing import Any

from tailrace.questions import images, questions
from tailrace.questions.patches import Patch
from tailrace.wire import change as wire
from tailrace.wire.change import Document


class Change(wire.Change, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    The fields hold what the server sent. The methods interpret it. A method raises ``Uncertain`` if the server did not send
    enough to answer; the change is then parked, so that no wrong event is published.
    Paths are dotted, as in updates: ``address.city``, ``items.0.price``. A path means every field that MongoDB writes this way:
    the field ``city`` of ``address``, and a field with the name ``address.city``. If a document has both fields, both documents
    are known and the results differ, the method raises ``Uncertain``. If the documents are unknown (no post-image, and a server
    before MongoDB 8.2), ``changed("address")`` assumes that an update of ``address.city`` is inside ``address``, unless a
    document of the change has a name with that dot.
    """

    @property
    def created(self) -> bool:
        """Whether this change inserted the document."""
        return self.operation_type == "insert"

    @property
    def deleted(self) -> bool:
        """Whether this change deleted the document. Dropping a collection creates no change for each of its documents."""
        return self.operation_type == "delete"

    @property
    def before(self) -> Document | None:
        """
        The document just before the change; None where there was none.

        Raises:
            Uncertain: there is no pre-image. To get None instead, read ``full_document_before_change``.
        """
        return images.before(self)

    @property
    def after(self) -> Document | None:
        """
        The document just after the change; None where there is none: the post-image, or an update applied to its pre-image.

        Raises:
            Uncertain: an update without post-image, and without pre-image or description; or one of its paths is ambiguous. If
                a later state is good enough, read ``full_document``.
        """
        return images.after(self)

    def became(self, path: str, value: Any, *, assume_new: bool = False) -> bool:
        """
        Whether this change gave ``path`` this value: the path has the value after the change, and did not have it before.

        The looked-up document is not used. ``assume_new`` applies if only the previous value is unknown (a replace without
        pre-image): the previous value is assumed to differ, so an event may be published twice but is never missed.

        Raises:
            Uncertain: the new value is unknown, or the previous value is unknown and ``assume_new`` is false.
        """
        return questions.became(self, path, value, assume_new=assume_new)

    def changed(self, path: str, *, assume_new: bool = False) -> bool:
        """
        Whether the value at ``path`` differs after this change: it was set, replaced or removed. An insert changes every field
        that it has. A delete changes none: use ``deleted``. ``assume_new`` as in ``became``.

        Raises:
            Uncertain: the server did not send enough to decide, and ``assume_new`` is false.
        """
        return questions.changed(self, path, assume_new=assume_new)

    def diff(self) -> Patch:
        """
        The JSON Patch (RFC 6902) that turns ``before`` into ``after``, where no document is null.

        A returned patch is always exact. It is one replacement of the whole document for a replace without a pre-image, and for
        documents that are too large or too deeply nested to compare (``tailrace.questions.patches``).

        Raises:
            Uncertain: the server did not send enough of an update to write the patch.
        """
        return questions.diff(self)
