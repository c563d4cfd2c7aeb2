"""An event in the form in which a consumer receives it."""

import json
from typing import Any
from uuid import UUID, uuid5

import msgspec

from tailrace.consuming import Event

ACCOUNT, REGION = "123456789012", "eu-west-1"
_DELIVERIES = UUID("0c7c7f0e-52d4-4d0f-9b56-5a0cbb6f3c0e")  # the namespace of the invented ids of deliveries and messages


def eventbridge(event: Event[Any]) -> dict[str, Any]:
    """The event as EventBridge delivers it to a target of a rule: the payload of a Lambda function, the body of a message."""
    return {
        "version": "0",
        "id": str(uuid5(_DELIVERIES, event.id)),
        "detail-type": event.name,
        "source": event.source,
        "account": ACCOUNT,
        "time": f"{event.occurred_at:%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [],
        **({"replay-name": event.replay} if event.replay else {}),
        "detail": json.loads(msgspec.json.encode({"metadata": event.metadata, "data": event.data})),
    }


def sqs(*events: Event[Any], group: str = "") -> dict[str, Any]:
    """
    The payload of a Lambda function behind a queue, to which a rule of the bus sent these events. ``group`` is their message
    group if the queue is FIFO.
    """
    return {
        "Records": [
            {
                "messageId": str(uuid5(_DELIVERIES, str(number))),
                "receiptHandle": f"receipt-{number}",
                "body": json.dumps(eventbridge(event)),
                "attributes": {"ApproximateReceiveCount": "1", **({"MessageGroupId": group} if group else {})},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:consumer{'.fifo' if group else ''}",
                "awsRegion": REGION,
            }
            for number, event in enumerate(events, 1)
        ]
    }
