"""A change as a mapper receives it."""

from typing import Any

from tailrace.questions import images, questions
from tailrace.questions.patches import Patch
from tailrace.wire import change as wire
from tailrace.wire.change import Document


class Change(wire.Change, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    A change. Its fields contain what the server sent; its methods interpret them. A method raises ``Uncertain`` if the server
    did not send enough for a certain result. The forwarder then parks the change and publishes no wrong event.

    A server may not send the document before a change. A mapper declares the fields that it compares with ``remembers``: the
    forwarder remembers their last values, and the methods use them (``FORWARDER_LAST_STATES``).

    Paths are dotted, as in updates: ``address.city``, ``items.0.price``. A path means every field that MongoDB writes this way:
    the field ``city`` of ``address``, and a field with the name ``address.city``. If a document has both fields and the results
    for them differ, the method raises ``Uncertain``. If the documents are unknown (no post-image, and a server before MongoDB
    8.2), ``changed("address")`` assumes that an update of ``address.city`` is inside ``address``, unless a document of the
    change has a name with that dot.
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
        The document just before the change: the pre-image. None for an insert.

        Raises:
            Uncertain: there is no pre-image. ``full_document_before_change`` is None then, without an error.
        """
        return images.before(self)

    @property
    def after(self) -> Document | None:
        """
        The document just after the change: the post-image, or the pre-image with the update applied. None for a delete.

        Raises:
            Uncertain: an update has no post-image, and its pre-image or its description is missing or a path is ambiguous. If a
                later state of the document is good enough, read ``full_document``.
        """
        return images.after(self)

    def became(self, path: str, value: Any, *, assume_new: bool = False, assume_current: bool = False) -> bool:
        """
        Whether ``path`` has this value after the change and did not have it before.

        With ``assume_new``, a previous value that is unknown (a replace without a pre-image) is assumed to differ: an event may
        be published twice, but none is missed.

        The looked-up document is not used, unless with ``assume_current`` it counts as the document just after an update that
        has no description. The previous value must be known, as that of a remembered field. If the looked-up document is newer,
        a value is seen at an earlier change of the document, and a value that was replaced before the look-up is never seen.

        Raises:
            Uncertain: the new value is unknown, or the previous value is unknown and ``assume_new`` is false.
        """
        return questions.became(self, path, value, assume_new=assume_new, assume_current=assume_current)

    def changed(self, path: str, *, assume_new: bool = False, assume_current: bool = False) -> bool:
        """
        Whether this change set, replaced or removed the value at ``path``. An insert changes every field of its document. A
        delete changes no field: use ``deleted``. With ``assume_new``, an unknown previous value is assumed to differ.
        ``assume_current`` as for ``became``.

        Raises:
            Uncertain: the server did not send enough to decide, and ``assume_new`` is false.
        """
        return questions.changed(self, path, assume_new=assume_new, assume_current=assume_current)

    def was(self, path: str, *, assume_current: bool = False) -> Any:
        """
        The value at ``path`` just before the change: that of the pre-image, or the remembered one. None if the document did not
        have it, or did not exist. With ``assume_current``, a value from a looked-up document counts as known.

        Raises:
            Uncertain: the previous value is unknown.
        """
        return questions.was(self, path, assume_current=assume_current)

    def diff(self) -> Patch:
        """
        The JSON Patch (RFC 6902) from ``before`` to ``after``. A missing document counts as null.

        The patch is always exact. It replaces the whole document after a replace without a pre-image, and if the documents are
        too large or too deeply nested to compare (``tailrace.questions.patches``).

        Raises:
            Uncertain: the server did not send enough about an update to compute the patch.
        """
        return questions.diff(self)
