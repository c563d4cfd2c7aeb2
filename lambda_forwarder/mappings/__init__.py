"""
The example's mapper table: the mappers of each collection, in the order in which their events are published.

To add an event to a file of this folder, add its class, its mapper, an entry in the file's table, and a sample pair in
``tests/samples/events/``. Add the table of a new file here. ``docs/how-to/adding-an-event.md`` describes the steps.
"""

from lambda_forwarder.mappings import data_changes, instalments, payments, subscriptions
from tailrace import Mappers

MAPPERS: Mappers = {
    **payments.MAPPERS,
    **instalments.MAPPERS,
    **subscriptions.MAPPERS,
    **data_changes.MAPPERS,
}
