"""
What an environment's TOML file says: the tables, a module for each, and how the file is read.

A field's description says what to set it to: it is the remedy in an error, and the documentation.
"""

from infra.config.alarms import Alarms
from infra.config.bus import Bus, Consumer
from infra.config.database import Database
from infra.config.environment import ENVIRONMENTS, Environment, Misconfigured, load, named, there
from infra.config.forwarder import Forwarder, StreamTable
from infra.config.network import Network
from infra.config.people import People
from infra.config.tailer import EVENTS, PARKED, Stream, Tailer

__all__ = [
    "ENVIRONMENTS", "EVENTS", "PARKED", "Alarms", "Bus", "Consumer", "Database", "Environment", "Forwarder", "Misconfigured",
    "Network", "People", "Stream", "StreamTable", "Tailer", "load", "named", "there",
]  # fmt: skip
