"""
The names that a project imports to define events and mappers.

    from tailrace import Change, DomainEvent, Mappers, Uncertain
"""

from tailrace.change import Change as Change
from tailrace.events import DomainEvent as DomainEvent
from tailrace.events import Mapper as Mapper
from tailrace.events import Mappers as Mappers
from tailrace.events import Time as Time
from tailrace.events import remembers as remembers
from tailrace.questions.images import Uncertain as Uncertain
from tailrace.questions.patches import Patch as Patch
from tailrace.wire.change import Document as Document
from tailrace.wire.change import Namespace as Namespace

__all__ = ["Change", "Document", "DomainEvent", "Mapper", "Mappers", "Namespace", "Patch", "Time", "Uncertain", "remembers"]
