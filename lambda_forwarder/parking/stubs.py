"""Stubs: changes that the tailer could not read and sent without their documents. They can never become events."""

import shlex

from lambda_forwarder.model.parked import Parked, legible, of_change
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.change import Claim, Poison

DISCARD = "python -P -m lambda_forwarder redrive --discard-stubs"
WAY_OUT = f"the tailer could not read the change, so it cannot become an event: follow its remedy, then run {DISCARD}"
READ = "from bson.raw_bson import RawBSONDocument as D; print(dict(D(open('event.bson','rb').read())))"


def stub(change: Change, message: ChangeMessage, poison: Poison) -> Parked:
    """Return the item to park for a stub."""
    return of_change(change, message, poison.reason, _remedy(poison.raw))


def _remedy(raw: Claim | None) -> str:
    first = "the event was not kept: check the document in the database"
    if raw is not None:
        address = shlex.quote(legible(f"s3://{raw.bucket}/{raw.key}"))
        first = f'read the raw event (with pymongo): aws s3 cp {address} event.bson && python -P -c "{READ}"'
    return f"{first}. Fix the document in the database: its next change is delivered as usual. Then remove this item: {DISCARD}"
