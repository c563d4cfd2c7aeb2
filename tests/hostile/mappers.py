"""A mapper table for every collection of these tests: each change becomes an event with the whole document."""

from tailrace.events import Mappers
from tailrace.mappers.data_changes import data_changed

DATABASE = "hostile"
INNOCENT = "innocent"
MESSAGES = "messages"
CONTROLS = "\x1b[2J\x1b]0;gone\x07\r\n\x9b\u202e\u2066\u2028\u2029\ufeff\ufffe\uffff{}'\"$%s\\\U0010ffff"
LONG_NAME = "é" * 123  # with its database 255 bytes, MongoDB's most
CONTROL_NAME = "\x1b[2J\n\u202e\u2028'{}%s"
ODD_NAME = "😀.a b/%"

NAMES = (INNOCENT, MESSAGES, LONG_NAME, CONTROL_NAME, ODD_NAME, *(f"entry{number}" for number in range(200)))

MAPPERS: Mappers = {f"{database}.{name}": (data_changed,) for database in (DATABASE, "dynamodb") for name in NAMES}
