"""
The settings of an environment's TOML file: the tables, a module for each, and how the file is read.

The description of a setting says what to set it to: it is the remedy in an error, and the documentation.
"""

from tailer.settings.named_stream import Stream
from tailer.settings.stream import EVENTS, PARKED
from tailrace_cdk.config.alarms import Alarms
from tailrace_cdk.config.bus import Bus, Consumer
from tailrace_cdk.config.database import Database
from tailrace_cdk.config.environment import NAME_LIMIT, Environment, Misconfigured, checked, load
from tailrace_cdk.config.forwarder import Forwarder, StreamTable
from tailrace_cdk.config.network import Network
from tailrace_cdk.config.people import People
from tailrace_cdk.config.tailer import Tailer

__all__ = [
    "EVENTS", "NAME_LIMIT", "PARKED", "Alarms", "Bus", "Consumer", "Database", "Environment", "Forwarder", "Misconfigured",
    "Network", "People", "Stream", "StreamTable", "Tailer", "checked", "load",
]  # fmt: skip
