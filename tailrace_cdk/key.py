"""One KMS key that encrypts everything that the stack stores, if the environment sets ``customer_key``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from tailrace_cdk.config import Bus
from tailrace_cdk.policies import arn, numbered

ADMINISTRATION = (  # the account's own policies may allow these actions and no others
    "CancelKeyDeletion", "CreateAlias", "CreateGrant", "Decrypt", "DeleteAlias", "DescribeKey", "DisableKey",
    "DisableKeyRotation", "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases", "ListGrants",
    "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "ReEncryptFrom", "ReEncryptTo",
    "RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "TagResource", "UntagResource",
    "UpdateAlias", "UpdateKeyDescription",
)  # fmt: skip
DATA = ("Decrypt", "GenerateDataKey")  # to read and write encrypted data
WRAPPING = (
    "Decrypt",
    "Encrypt",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)  # for an ordered bus
BUS_CONTEXT = "kms:EncryptionContext:aws:events:event-bus:arn"
ORDERED_CONTEXT = "kms:EncryptionContext:aws:events:event-busv2:arn"
QUEUE_CONTEXT = "kms:EncryptionContext:aws:sqs:arn"


class Key(kms.Key):
    """
    Rotated each year. Principals whom the account's own policies allow may use it, and AWS services that write for the stack.

    ``more`` are statements for others, for example for a bus (``of_bus``).
    """

    def __init__(self, scope: Construct, id: str, *, more: Iterable[iam.PolicyStatement] = ()) -> None:
        super().__init__(
            scope,
            id,
            description="Everything that this Tailrace stack keeps",
            enable_key_rotation=True,
            policy=iam.PolicyDocument(statements=[_of_account(), *of_services(), *more]),
        )


def not_added(key: kms.IKey, statements: Iterable[iam.PolicyStatement]) -> Sequence[str]:
    """Add the statements to the policy of an existing key. Return the names of those that the CDK could not add."""
    return [one.sid or "" for one in statements if not key.add_to_resource_policy(one).statement_added]


def of_bus(bus: Bus, name: str) -> Iterator[iam.PolicyStatement]:
    """Allow EventBridge to use the key for a bus of this name, and accounts with rules on the bus to use it too."""
    events = iam.ServicePrincipal("events.amazonaws.com")
    # Without a condition: a request to describe the key has no encryption context.
    yield _allow("LookAtTheKeyOfABus", events, ("DescribeKey",))
    if bus.kind == "ordered":
        ours = {"StringLike": {ORDERED_CONTEXT: arn("events", f"event-busv2/{name}/*")}}  # the ARN of the bus is unknown yet
        yield _allow("EncryptTheBus", events, WRAPPING, ours)
    else:
        ours = {"StringLike": {BUS_CONTEXT: arn("events", f"event-bus/{name}")}}
        # These requests have no aws:SourceAccount: with a condition on it, events would be lost without an error.
        yield _allow("EncryptWhatRulesCannotDeliver", events, DATA, {"ArnLike": {QUEUE_CONTEXT: arn("sqs", "*")}})
        buses = {"ArnLike": {BUS_CONTEXT: arn("events", "event-bus/*")}}  # requests for an archive name its bus too
        yield _allow("EncryptTheBusAndItsArchive", events, ("ReEncryptFrom", "ReEncryptTo", *DATA), buses)
    for account in bus.allowed_accounts:  # their rules are encrypted with the key, and read with their credentials
        yield _through("events", f"LetAnAccountAttachToTheBus{account}", account, ours)


def of_readers(accounts: Iterable[str]) -> Iterator[iam.PolicyStatement]:
    """Allow accounts to read, through S3, the events that are too large for the bus."""
    for account in accounts:
        yield _through("s3", f"LetAnAccountReadWhatItFetches{numbered(account)}", account)


def of_services() -> Iterator[iam.PolicyStatement]:
    """Return the statements for logs and alarms. ``*`` in a key's policy is the key itself."""
    yield _allow(
        "EncryptLogs",
        iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com"),
        ("Encrypt", "ReEncryptFrom", "ReEncryptTo", "DescribeKey", "GenerateDataKeyWithoutPlaintext", *DATA),
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:*")}},
    )
    yield of_alarms()


def of_alarms() -> iam.PolicyStatement:
    """Allow alarms to notify a topic that the key encrypts."""
    account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    return _allow("EncryptAlarmNotices", iam.ServicePrincipal("cloudwatch.amazonaws.com"), DATA, account)


def _of_account() -> iam.PolicyStatement:
    return _allow("LetTheAccountDecideWhoMayUseTheKey", iam.AccountRootPrincipal(), ADMINISTRATION)


def _through(
    service: str, sid: str, account: str, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> iam.PolicyStatement:
    via = {"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.amazonaws.com"}}
    return _allow(sid, iam.AccountPrincipal(account), ("Decrypt",), {**via, **(conditions or {})})


def _allow(
    sid: str, principal: iam.IPrincipal, actions: tuple[str, ...], conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, principals=[principal], actions=[f"kms:{action}" for action in actions], resources=["*"], conditions=conditions
    )
