"""Metrics that AWS services emit for the stack's queues, mappings and deliveries."""

from aws_cdk import Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from tailrace_cdk.messaging.bus import Delivery, EventBus

FIVE_MINUTES = Duration.minutes(5)


def waiting(queue: sqs.IQueue) -> cloudwatch.Metric:
    """Return the number of messages in a queue that should be empty."""
    return queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum")


def records(mapping: lambda_.CfnEventSourceMapping, name: str) -> cloudwatch.Metric:
    """Return how many records failed for good, by the name of Lambda's metric."""
    return _sum("AWS/Lambda", name, {"EventSourceMappingUUID": mapping.attr_id})


def lost(delivery: Delivery, bus: EventBus) -> cloudwatch.Metric:
    """Return how many events could be neither delivered to a consumer nor stored. The two kinds of bus name it differently."""
    if delivery.ordered:
        return _sum("AWS/EventsV2", "OnFailureDestinationFailed", {"EventBus": bus.arn, "Subscriber": delivery.arn})
    rule = Fn.select(2, Fn.split("/", delivery.arn))
    return _sum("AWS/Events", "InvocationsFailedToBeSentToDlq", {"EventBusName": bus.name, "RuleName": rule})


def _sum(namespace: str, name: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic="Sum", period=FIVE_MINUTES
    )
