"""One KMS key for everything the stack keeps, where an environment asks for a key of its own (``customer_key``)."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

ADMINISTRATION = (  # what the account's own policies may allow, by name: what is not here nobody can be given
    "CancelKeyDeletion", "CreateAlias", "CreateGrant", "Decrypt", "DeleteAlias", "DescribeKey", "DisableKey",
    "DisableKeyRotation", "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext", "GetKeyPolicy", "GetKeyRotationStatus", "ListAliases", "ListGrants",
    "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy", "ReEncryptFrom", "ReEncryptTo",
    "RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion", "TagResource", "UntagResource",
    "UpdateAlias", "UpdateKeyDescription",
)  # fmt: skip
DATA = ("Decrypt", "GenerateDataKey")  # what reading and writing encrypted data takes
BUS_CONTEXT = "kms:EncryptionContext:aws:events:event-bus:arn"
QUEUE_CONTEXT = "kms:EncryptionContext:aws:sqs:arn"


class Key(kms.Key):
    """
    Rotated each year. Usable by whom the account's own policies allow, and by services that write for us, for us only.

    ``readers`` are accounts that may read what the bucket lets them fetch.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - as in all constructs
        *,
        removal: RemovalPolicy,
        readers: Sequence[str] = (),
    ) -> None:
        super().__init__(
            scope,
            id,
            description="Everything that this Tailrace stack keeps",
            enable_key_rotation=True,
            removal_policy=removal,
            policy=iam.PolicyDocument(statements=[*_statements(), *map(_reading, readers)]),
        )


def _statements() -> list[iam.PolicyStatement]:
    """``*`` in a key's policy is the key itself."""
    account = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    events = iam.ServicePrincipal("events.amazonaws.com")
    logs = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
    buses = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:event-bus*/*"
    queues = f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
    return [
        _allow("LetTheAccountDecideWhoMayUseTheKey", iam.AccountRootPrincipal(), ADMINISTRATION),
        _allow(
            "EncryptLogs",
            iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com"),
            ("Encrypt", "ReEncryptFrom", "ReEncryptTo", "DescribeKey", "GenerateDataKeyWithoutPlaintext", *DATA),
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
        ),
        # Of what EventBridge asks, looking at the key says nothing of what it is for; writing to a queue says the queue, and
        # no account: with a condition on that, what cannot be delivered would be lost without a word.
        _allow("LookAtTheKeyOfABus", events, ("DescribeKey",)),
        _allow("EncryptWhatRulesCannotDeliver", events, DATA, {"ArnLike": {QUEUE_CONTEXT: queues}}),
        _allow(  # its calls for an archive say which bus they are for, and no account
            "EncryptTheBusAndItsArchive", events, ("ReEncryptFrom", "ReEncryptTo", *DATA), {"ArnLike": {BUS_CONTEXT: buses}}
        ),
        _allow("EncryptAlarmNotices", iam.ServicePrincipal("cloudwatch.amazonaws.com"), DATA, account),
    ]


def _reading(account: str) -> iam.PolicyStatement:
    through = {"StringEquals": {"kms:ViaService": f"s3.{Aws.REGION}.amazonaws.com"}}
    return _allow(f"LetAnAccountReadWhatItFetches{account}", iam.AccountPrincipal(account), ("Decrypt",), through)


def _allow(
    sid: str, principal: iam.IPrincipal, actions: tuple[str, ...], conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, principals=[principal], actions=[f"kms:{action}" for action in actions], resources=["*"], conditions=conditions
    )
