"""
The sections of an environment, a file for each.

A field's description says what to set it to: it is the remedy in an error, and the documentation.
"""

from infra.sections.alarms import Alarms
from infra.sections.bus import Bus, Consumer
from infra.sections.database import Database
from infra.sections.forwarder import Forwarder, StreamTable
from infra.sections.network import Network
from infra.sections.people import People
from infra.sections.section import Section
from infra.sections.tailer import EVENTS, PARKED, Stream, Tailer

__all__ = [
    "EVENTS",
    "PARKED",
    "Alarms",
    "Bus",
    "Consumer",
    "Database",
    "Forwarder",
    "Network",
    "People",
    "Section",
    "Stream",
    "StreamTable",
    "Tailer",
]
