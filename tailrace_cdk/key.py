"""One KMS key for everything the stack keeps, where an environment asks for a key of its own (``customer_key``)."""

from collections.abc import Iterable, Iterator, Mapping

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from tailrace_cdk.config import Bus
from tailrace_cdk.policies import arn

ADMINISTRATION = (  # what the account's own policies may allow; they cannot allow any other action
    "CancelKeyDeletion", "CreateAlias", "CreateGrant", "Decrypt", "DeleteAlias", "DescribeKey", "DisableKey",
    "DisableKeyRotation", "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases", "ListGrants",
    "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "ReEncryptFrom", "ReEncryptTo",
    "RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "TagResource", "UntagResource",
    "UpdateAlias", "UpdateKeyDescription",
)  # fmt: skip
DATA = ("Decrypt", "GenerateDataKey")  # what reading and writing encrypted data takes
WRAPPING = ("Decrypt", "Encrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")  # an ordered bus's own key
BUS_CONTEXT = "kms:EncryptionContext:aws:events:event-bus:arn"
ORDERED_CONTEXT = "kms:EncryptionContext:aws:events:event-busv2:arn"
QUEUE_CONTEXT = "kms:EncryptionContext:aws:sqs:arn"


class Key(kms.Key):
    """
    Rotated each year. Usable by whom the account's own policies allow, and by services that write for us, for us only.

    ``more`` is who else may use it, such as those of a bus (``of_bus``).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        removal: RemovalPolicy,
        more: Iterable[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(
            scope,
            id,
            description="Everything that this Tailrace stack keeps",
            enable_key_rotation=True,
            removal_policy=removal,
            policy=iam.PolicyDocument(statements=[*_statements(), *more]),
        )


def of_bus(bus: Bus, name: str) -> Iterator[iam.PolicyStatement]:
    """What EventBridge does with the key for a bus of this name, and what other accounts do through EventBridge and S3."""
    events = iam.ServicePrincipal("events.amazonaws.com")
    # Of what EventBridge asks, looking at the key says nothing of what it is for.
    yield _allow("LookAtTheKeyOfABus", events, ("DescribeKey",))
    if bus.kind == "ordered":
        ours = {
            "StringLike": {ORDERED_CONTEXT: arn("events", f"event-busv2/{name}/*")}
        }  # the end is unknown before the bus exists
        yield _allow("EncryptTheBus", events, WRAPPING, ours)
    else:
        ours = {"StringLike": {BUS_CONTEXT: arn("events", f"event-bus/{name}")}}
        yield from _classic(events)
    for account in bus.readers:
        yield _through("s3", f"LetAnAccountReadWhatItFetches{account}", account)
    for account in bus.allowed_accounts:  # what they attach is kept under the key, and read back in their name
        yield _through("events", f"LetAnAccountAttachToTheBus{account}", account, ours)


def _statements() -> Iterator[iam.PolicyStatement]:
    """``*`` in a key's policy is the key itself."""
    yield _allow("LetTheAccountDecideWhoMayUseTheKey", iam.AccountRootPrincipal(), ADMINISTRATION)
    yield _allow(
        "EncryptLogs",
        iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com"),
        ("Encrypt", "ReEncryptFrom", "ReEncryptTo", "DescribeKey", "GenerateDataKeyWithoutPlaintext", *DATA),
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn("logs", "log-group:*")}},
    )
    account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    yield _allow("EncryptAlarmNotices", iam.ServicePrincipal("cloudwatch.amazonaws.com"), DATA, account)


def _classic(events: iam.IPrincipal) -> Iterator[iam.PolicyStatement]:
    """What it writes to queues, and itself. No call names an account: with a condition on that, events would be lost unsaid."""
    queues = {"ArnLike": {QUEUE_CONTEXT: arn("sqs", "*")}}
    yield _allow("EncryptWhatRulesCannotDeliver", events, DATA, queues)
    buses = {"ArnLike": {BUS_CONTEXT: arn("events", "event-bus/*")}}  # those for an archive name its bus too
    yield _allow("EncryptTheBusAndItsArchive", events, ("ReEncryptFrom", "ReEncryptTo", *DATA), buses)


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
