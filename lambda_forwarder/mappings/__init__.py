"""
Every event that this forwarder can publish, in one table: a change in a collection may mean these events, in this order.

To add one: its class and its mapper in this folder, one line here, one sample pair in ``tests/samples/events/``.
"""

from lambda_forwarder.event import Mappers
from lambda_forwarder.mappings.payments import payment_cancelled, payment_created

MAPPERS: Mappers = {
    "payments": (payment_created, payment_cancelled),
}
