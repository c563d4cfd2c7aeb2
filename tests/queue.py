"""The messages in a queue, for tests in place of the forwarder."""

from devstack import DevStack
from tailrace.change import Change
from tailrace.message import unpack


def received(stack: DevStack, queue_url: str) -> list[Change]:
    """Receive and delete everything in the queue, in order within each group."""
    sqs = stack.aws("sqs")
    changes: list[Change] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            changes += unpack(message["Body"]).changes
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return changes
