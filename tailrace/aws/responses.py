"""
Maps an AWS error, by its code *and* its text, to a reaction and a cause. Many codes have several causes.

The first matching row counts. An error without a row is retried: a retry loses nothing.
"""

import re
from enum import Enum
from typing import NamedTuple


class Reaction(Enum):
    """What to do about an error."""

    RETRY = "try again later"
    FIX = "a person fixes a setting, a right or a resource"
    REFUSED = "what was sent will never be accepted"


class Row(NamedTuple):
    """
    One cause. ``code`` matches the whole code, ``text`` any part of the text; both ignore case.

    ``meaning`` completes a sentence whose subject is the resource.
    """

    code: str
    text: str
    reaction: Reaction
    meaning: str


RETRY, FIX, REFUSED = Reaction

MISSING = "does not exist in this account and region"
UNKNOWN = "returned an error that Tailrace does not know"

_ANY = ".*"
_DENIED = r"AccessDenied(Exception)?|AuthorizationError(Exception)?|NotAuthorized\w*|Unauthorized\w*|KMS.*AccessDenied.*"
_MAY_NOT = "denies this role access: grant the permissions that infra/ grants"
_CLOCK = "rejects the time of the request: correct this machine's clock, unless the request took minutes to arrive"
_EXPIRED = "reports expired credentials: the SDK fetches new ones, unless they were set as AWS_SESSION_TOKEN"
_CREDENTIALS = "rejects the credentials: check the role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_KEY_RIGHTS = (
    "cannot be used without its KMS key: grant this role kms:GenerateDataKey and kms:Decrypt on it, and check that it exists"
)
_KEY_GONE = "cannot be used without its KMS key, which is disabled, pending deletion or not accessible: enable it"
_CALL = "rejects the form of the request"
_SENT = "rejects the data that was sent"
_REGION = "is in another region than AWS_REGION"
_RECEIPT = "no longer accepts this receipt handle: the message is visible again"
_SIGNED_WRONG = "rejects the signature: AWS_SECRET_ACCESS_KEY belongs to another key, or a proxy changes the requests"
_TOO_LARGE = "accepts items of up to 400 KB, and this item is larger (a resume token holds the whole _id and shard key)"
_SCHEMA = "needs a partition key named pk, of type string, and no sort key"
_OTHER_KIND = "is a queue of the other kind: FIFO or standard"
_THROTTLED = "throttles the calls"
_BUSY = "is temporarily unavailable"

ROWS = (
    # clock and credentials
    Row("RequestTimeTooSkewed|RequestExpired|RequestInTheFuture", "", RETRY, _CLOCK),
    Row(_ANY, "signature (expired|not yet current)|request has expired|request time .*too large", RETRY, _CLOCK),
    Row("Expired(Security)?Token(Exception)?|TokenRefreshRequired", "", RETRY, _EXPIRED),
    Row(_ANY, "token included in the request is expired", RETRY, _EXPIRED),
    Row("SignatureDoesNotMatch|InvalidSignature(Exception)?", "", FIX, _SIGNED_WRONG),
    Row("InvalidClientTokenId|UnrecognizedClient(Exception)?|InvalidAccessKeyId|InvalidToken", "", FIX, _CREDENTIALS),
    Row("MissingAuthenticationToken(Exception)?|IncompleteSignature(Exception)?|AuthFailure", "", FIX, _CREDENTIALS),
    Row(r"OptInRequired|SubscriptionRequired\w*|AccountProblem|AllAccessDisabled", "", FIX, "does not serve this account"),
    Row("InvalidSecurity", "", FIX, "accepts HTTPS only: check AWS_ENDPOINT_URL"),
    # KMS key
    Row("KMS.*Throttl.*", "", RETRY, "waits for its KMS key, which is throttled"),
    Row(_ANY, "inaccessible.encryption.credentials", FIX, _KEY_GONE),
    Row("KMS.*Disabled.*", "", FIX, _KEY_GONE),
    Row("KMS.*InvalidState.*", "pending.?deletion|disabled", FIX, _KEY_GONE),
    Row("KMS.*InvalidState.*", "", RETRY, "waits for its KMS key, which is being changed"),
    Row(_DENIED, r"\bkms:|kms key|ciphertext|customer master key", FIX, _KEY_RIGHTS),
    Row("KMS.*(AccessDenied|NotFound).*", "", FIX, _KEY_RIGHTS),
    Row("KMS.*(KeyUsage|OptIn).*", "", FIX, "has a KMS key of the wrong type or usage"),
    Row("KMS.*", "", RETRY, "could not use its KMS key"),
    # permissions
    Row(_DENIED, "service control polic", FIX, "is denied by a service control policy of the organization"),
    Row(_DENIED, "resource control polic", FIX, "is denied by a resource control policy of the organization"),
    Row(_DENIED, "VPC endpoint polic", FIX, "is denied by the policy of the VPC endpoint"),
    Row(_DENIED, "permissions? boundar", FIX, "is denied by the permissions boundary of this role"),
    Row(_DENIED, "session polic", FIX, "is denied by the session policy of the credentials"),
    Row(_DENIED, "deny in a resource-based polic", FIX, "is denied by its resource policy"),
    Row(_DENIED, "no resource-based policy allows", FIX, "belongs to another account and does not allow this role"),
    Row(_DENIED, "explicit deny", FIX, "is denied to this role by a policy"),
    Row(_DENIED, "no identity-based policy allows", FIX, _MAY_NOT),
    Row(_DENIED, "", FIX, f"{_MAY_NOT}, or find the policy that denies it (its own, a VPC endpoint's, the organization's)"),
    Row("403", "", FIX, "denies access without a reason: check permissions, policies, credentials and the clock"),
    # resource and operation
    Row("(NonExistentQueue|QueueDoesNotExist)", "not have access", FIX, "does not exist, or this role may not see it"),
    Row("(NonExistentQueue|QueueDoesNotExist)|NoSuchBucket", "", FIX, MISSING),
    Row("(Resource|Table)NotFound(Exception)?", "", FIX, MISSING),
    Row("404", "", FIX, "does not exist, or this role may not see it"),
    Row("NoSuchKey|NoSuchVersion", "", REFUSED, "has no such object"),
    Row("InvalidObjectState", "", REFUSED, "has archived the object: restore it"),
    Row("InvalidAddress", "", FIX, "is not the URL of a queue in the region of AWS_REGION"),
    Row("InvalidBucketName", "", FIX, "is not the name of a bucket"),
    Row("PermanentRedirect|301|IllegalLocationConstraintException", "", FIX, _REGION),
    Row("AuthorizationHeaderMalformed", "region", FIX, _REGION),
    Row("AuthorizationHeaderMalformed", "", FIX, _CREDENTIALS),
    Row("UnknownOperation(Exception)?|InvalidAction", "", FIX, "has no such operation: AWS_ENDPOINT_URL is another service's"),
    Row("ResourceInUseException", "archiv", FIX, "is archived: restore it from its backup"),
    Row("ResourceInUseException|TableInUseException", "", RETRY, "is being created, changed or deleted"),
    Row("QueueDeletedRecently", "", RETRY, "was deleted within the last minute"),
    Row("PurgeQueueInProgress", "", RETRY, "is being purged"),
    # contents of the request
    Row("ValidationException", "item size .*exceeded", REFUSED, _TOO_LARGE),
    Row("ValidationException", "match the schema|missing the key|type mismatch for key|conditions on the keys", FIX, _SCHEMA),
    Row("ValidationException", "(invalid|illegal) table|tableName", FIX, "is not the name of a table"),
    Row("ValidationException|ValidationError", "", REFUSED, _SENT),
    Row("ItemCollectionSizeLimitExceeded(Exception)?", "", FIX, "has a full local secondary index: remove the index"),
    Row("InvalidParameterValue", "be shorter than|too long", REFUSED, "accepts shorter messages: raise MaximumMessageSize"),
    Row(r"\w*Parameter\w*", "queue type|contain the parameter MessageGroupId", FIX, _OTHER_KIND),
    Row("InvalidParameterValue", "receipt ?handle", RETRY, _RECEIPT),
    Row("(ReceiptHandleIsInvalid|MessageNotInflight)", "", RETRY, _RECEIPT),
    Row("InvalidParameterValue", "", REFUSED, "rejects a parameter value"),
    Row("InvalidMessageContents", "", REFUSED, "rejects a character of the message"),
    Row("BatchRequestTooLong", "", REFUSED, "accepts smaller batches: raise MaximumMessageSize"),
    Row("(Request)?EntityTooLarge(Exception)?|413", "", REFUSED, "rejects the request as too large"),
    Row("KeyTooLongError", "", REFUSED, "rejects the object key as too long"),
    Row("(InvalidBatchEntryId|BatchEntryIdsNotDistinct|EmptyBatchRequest|TooManyEntries.*)", "", REFUSED, _CALL),
    Row("UnsupportedOperation|MissingParameter|InvalidParameterCombination|InvalidRequest", "", REFUSED, _CALL),
    Row("InvalidInputException|InvalidArgument|MalformedDetail|SerializationException", "", REFUSED, _SENT),
    # temporary states
    Row("OverLimit", "", RETRY, "has reached the limit of messages in flight"),
    Row(".*Throttl.*|.*ThroughputExceeded.*|.*LimitExceeded.*", "", RETRY, _THROTTLED),
    Row("TooManyRequests.*|SlowDown|429", "", RETRY, _THROTTLED),
    Row(r"Internal\w*|ServiceUnavailable\w*|ServiceFailure|RequestTimeout\w*|OperationAborted|5\d\d", "", RETRY, _BUSY),
    Row(r"\w*Conflict\w*|ConcurrentModification\w*|InvalidStateException", "", RETRY, "is being changed by another client"),
)  # fmt: skip

_COMPILED = tuple((re.compile(row.code, re.IGNORECASE), re.compile(row.text, re.IGNORECASE), row) for row in ROWS)


def meaning(code: str, text: str) -> tuple[Reaction, str]:
    """Return the reaction to an error, and its cause as the rest of a sentence whose subject is the resource."""
    row = row_of(code, text)
    return (row.reaction, row.meaning) if row else (RETRY, UNKNOWN)


def row_of(code: str, text: str) -> Row | None:
    """Return the first matching row."""
    code = code.removeprefix("AWS.SimpleQueueService.")
    fits = (row for its_code, its_text, row in _COMPILED if its_code.fullmatch(code) and its_text.search(text))
    return next(fits, None)
