"""The table of the example's mappers: those of each collection, in the order in which their events are published."""

from tailrace import Mappers
from tailrace.mappers import data_changed

from . import instalments, payments, subscriptions

MAPPERS: Mappers = {
    **payments.MAPPERS,
    **instalments.MAPPERS,
    **subscriptions.MAPPERS,
    "orderstore.orders": (data_changed,),
}
