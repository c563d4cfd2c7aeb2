"""The rights that only the owner of an existing part can give. Synthesis names each in a warning."""

from collections.abc import Iterator, Sequence

from aws_cdk import Annotations, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from constructs import Construct

from tailrace_cdk.messaging.messaging import Messaging


def warn(scope: Construct, messaging: Messaging, bus: events.IEventBus | None) -> None:
    """Warn of each existing part whose own policy, or whose key, has to allow what the roles do."""
    for part, text in (*_of_bus(scope, bus), *_of_keys(messaging.keys)):
        _warn(scope, part, text)


def warn_of_key(scope: Construct, part: str, statements: Sequence[str]) -> None:
    """Warn of the statements that the policy of an imported key lacks. ``part`` is the key, or what it encrypts."""
    if statements:
        text = (
            f"the CDK cannot change the policy of an imported key. Add the statements {', '.join(statements)} to the policy "
            "(docs/how-to/your-own-cdk-app.md)"
        )
        _warn(scope, part, text)


def _of_bus(scope: Construct, bus: events.IEventBus | None) -> Iterator[tuple[str, str]]:
    if bus and bus.env.account != Stack.of(scope).account:
        text = (
            f"{bus.event_bus_arn} is in account {bus.env.account}. If the stack is in another account, the policy of the bus "
            "must allow the roles of the functions events:PutEvents and events:DescribeEventBus"
        )
        yield "bus", text


def _of_keys(keys: Sequence[kms.IKey]) -> Iterator[tuple[str, str]]:
    imported = [key.key_arn for key in keys if not isinstance(key, kms.Key)]
    if imported:
        text = (
            f"the policies of imported keys ({', '.join(imported)}) must allow the roles of the functions and of the tailer "
            "kms:Decrypt and kms:GenerateDataKey, or leave it to the account's own policies"
        )
        yield "roles", text


def _warn(scope: Construct, part: str, text: str) -> None:
    Annotations.of(scope).add_warning_v2(f"tailrace:{part}", f"{part}: {text}.")
