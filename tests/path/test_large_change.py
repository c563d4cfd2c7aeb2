"""A change too large for the queue travels through S3, and its event arrives like any other."""

import random

import pytest

from devstack import DevStack


@pytest.mark.usefixtures("services")
def test_large_document_arrives_in_order_with_its_neighbours() -> None:
    """The middle of three payments has 5 MB that do not compress: three events arrive, and one object is in the bucket."""
    with DevStack() as path:
        tailer = path.start_tailer(order_by="stream")
        tailer.wait_ready()
        noise = random.Random(1).randbytes(2_500_000).hex()
        payments = [{"_id": f"p{number}", "subscriptionId": f"s{number}", "status": "created"} for number in range(3)]
        payments[1]["note"] = noise
        path.mongo.payments.payments.insert_many(payments)
        events = path.consumer().receive_count(3, 40)
        assert tailer.stop() == 0
        assert path.aws("s3").list_objects_v2(Bucket=path.resources.claim_bucket)["KeyCount"] == 1
    assert [event.document.removeprefix("payments.payments/") for event in events] == ["p0", "p1", "p2"]
    assert [event.data["subscriptionId"] for event in events] == ["s0", "s1", "s2"]
