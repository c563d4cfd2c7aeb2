"""
Every event that this forwarder can publish, in one table: a change in a collection may mean these events, in this order.

To add one to a file of this folder: its class, its mapper, its place in the file's own table, one sample pair in
``tests/samples/events/``. A new file has its line here. ``docs/adding-an-event.md`` has the steps.
"""

from lambda_forwarder.mappings import data_changes, instalments, payments, subscriptions
from tailrace import Mappers

MAPPERS: Mappers = {
    **payments.MAPPERS,
    **instalments.MAPPERS,
    **subscriptions.MAPPERS,
    **data_changes.MAPPERS,
}
