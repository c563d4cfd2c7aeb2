"""Error codes and messages of AWS map to a reaction and to a sentence that names the cause."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.aws.responses import ROWS, UNKNOWN, Reaction, meaning, row_of

RETRY, FIX, REFUSED = Reaction

MAY = "User: arn:aws:sts::123456789012:assumed-role/tailer/1 is not authorized to perform: sqs:SendMessage on resource: arn:q "
KMS = "User: arn:aws:sts::123456789012:assumed-role/tailer/1 is not authorized to perform: kms:Decrypt on this resource"

CASES = [
    # the clock
    ("SignatureDoesNotMatch", "Signature expired: 20141104T062952Z is now earlier than 20141104T063452Z", RETRY, "clock"),
    ("InvalidSignatureException", "Signature not yet current: 20190305T002809Z is still later than", RETRY, "clock"),
    ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", RETRY, "clock"),
    ("AccessDenied", "Request has expired", RETRY, "clock"),
    ("RequestExpired", "", RETRY, "clock"),
    # the credentials
    ("SignatureDoesNotMatch", "The request signature we calculated does not match the signature", FIX, "SECRET_ACCESS_KEY"),
    ("InvalidSignatureException", "The request signature we calculated does not match", FIX, "SECRET_ACCESS_KEY"),
    ("ExpiredToken", "The provided token has expired.", RETRY, "expired"),
    ("ExpiredTokenException", "The security token included in the request is expired", RETRY, "expired"),
    ("UnrecognizedClientException", "The security token included in the request is expired", RETRY, "expired"),
    ("UnrecognizedClientException", "The security token included in the request is invalid.", FIX, "credentials"),
    ("InvalidClientTokenId", "The security token included in the request is invalid.", FIX, "credentials"),
    ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", FIX, "credentials"),
    ("MissingAuthenticationTokenException", "Request is missing Authentication Token", FIX, "credentials"),
    ("AuthorizationHeaderMalformed", "a non-empty Access Key (AKID) must be provided", FIX, "credentials"),
    ("OptInRequired", "The AWS Access Key Id needs a subscription for the service", FIX, "account"),
    ("InvalidSecurity", "", FIX, "HTTPS"),
    # the key of what is stored
    ("KMS.ThrottlingException", "Rate exceeded", RETRY, "KMS key, which is throttled"),
    ("KmsThrottled", "", RETRY, "KMS key, which is throttled"),
    ("KMS.DisabledException", "arn:aws:kms:key is disabled.", FIX, "enable it"),
    ("KmsDisabled", "", FIX, "enable it"),
    ("KMS.KMSInvalidStateException", "arn:aws:kms:key is pending deletion.", FIX, "enable it"),
    ("KmsInvalidState", "the key is being created", RETRY, "being changed"),
    ("KMS.AccessDeniedException", "", FIX, "kms:Decrypt"),
    ("KMS.AccessDeniedException", "The ciphertext refers to a customer master key that does not exist", FIX, "kms:Decrypt"),
    ("KMS.NotFoundException", "Alias is not found", FIX, "kms:Decrypt"),
    ("AccessDeniedException", KMS, FIX, "kms:Decrypt"),
    ("AccessDenied", f"{KMS} with an explicit deny in an identity-based policy", FIX, "kms:Decrypt"),
    ("KmsInvalidKeyUsage", "", FIX, "wrong type"),
    ("KMSInternalException", "", RETRY, "KMS key"),
    ("ResourceInUseException", "Table is INACCESSIBLE_ENCRYPTION_CREDENTIALS", FIX, "enable it"),
    # the rights
    ("AccessDenied", f"{MAY}because no identity-based policy allows the sqs:SendMessage action", FIX, "grant"),
    ("AccessDenied", f"{MAY}because no VPC endpoint policy allows the sqs:SendMessage action", FIX, "VPC endpoint"),
    ("AccessDeniedException", f"{MAY}with an explicit deny in a VPC endpoint policy", FIX, "VPC endpoint"),
    ("AccessDenied", f"{MAY}with an explicit deny in a service control policy", FIX, "service control policy"),
    ("AccessDenied", f"{MAY}with an explicit deny in a resource control policy", FIX, "resource control policy"),
    ("AccessDenied", f"{MAY}because no permissions boundary allows the sqs:SendMessage action", FIX, "boundary"),
    ("AccessDenied", f"{MAY}because no session policy allows the sqs:SendMessage action", FIX, "session policy"),
    ("AccessDenied", f"{MAY}with an explicit deny in a resource-based policy", FIX, "its resource policy"),
    ("AccessDenied", f"{MAY}because no resource-based policy allows the sqs:SendMessage action", FIX, "another account"),
    ("AccessDenied", f"{MAY}with an explicit deny in an identity-based policy", FIX, "denied to this role"),
    ("AccessDenied", "Access to the resource https://sqs.eu-west-1.amazonaws.com/ is denied.", FIX, "or find the policy"),
    ("AccessDenied", "no right on https://sqs.eu-west-1.amazonaws.com/123456789012/kms-events.fifo", FIX, "or find the policy"),
    ("NotAuthorizedForSourceException", "", FIX, "grant"),
    ("403", "Forbidden", FIX, "without a reason"),
    # the resource
    (
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
        FIX,
        "account and region",
    ),
    (
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist or you do not have access to it.",
        FIX,
        "may not see it",
    ),
    ("QueueDoesNotExist", "", FIX, "account and region"),
    ("NoSuchBucket", "The specified bucket does not exist", FIX, "account and region"),
    ("ResourceNotFoundException", "Requested resource not found", FIX, "account and region"),
    ("404", "Not Found", FIX, "may not see it"),
    ("NoSuchKey", "The specified key does not exist.", REFUSED, "no such object"),
    ("InvalidObjectState", "The operation is not valid for the object's storage class", REFUSED, "archived"),
    ("InvalidAddress", "The address is not valid for this endpoint.", FIX, "region of AWS_REGION"),
    ("InvalidBucketName", "The specified bucket is not valid.", FIX, "name of a bucket"),
    ("PermanentRedirect", "The bucket must be addressed using the specified endpoint.", FIX, "another region"),
    ("301", "Moved Permanently", FIX, "another region"),
    ("AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong; expecting 'eu-west-1'", FIX, "another region"),
    ("UnknownOperationException", "", FIX, "AWS_ENDPOINT_URL"),
    ("ResourceInUseException", "Attempt to change a resource which is still in use: Table is being created", RETRY, "created"),
    ("ResourceInUseException", "Table is ARCHIVED", FIX, "backup"),
    ("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue", RETRY, "deleted"),
    ("AWS.SimpleQueueService.PurgeQueueInProgress", "", RETRY, "purged"),
    # what is sent
    ("ValidationException", "Item size has exceeded the maximum allowed size", REFUSED, "400 KB"),
    ("ValidationException", "Item size to update has exceeded the maximum allowed size", REFUSED, "400 KB"),
    ("ValidationException", "The provided key element does not match the schema", FIX, "partition key named pk"),
    ("ValidationException", "One or more parameter values were invalid: Missing the key id in the item", FIX, "key named pk"),
    ("ValidationException", "Type mismatch for key pk expected: N actual: S", FIX, "key named pk"),
    ("ValidationException", "The number of conditions on the keys is invalid", FIX, "key named pk"),
    ("ValidationException", "1 validation error detected: Value 'a b' at 'tableName' failed", FIX, "name of a table"),
    ("ValidationException", "Nesting Levels have exceeded supported limits", REFUSED, "rejects the data that was sent"),
    ("ItemCollectionSizeLimitExceededException", "", FIX, "local secondary index"),
    ("InvalidParameterValue", "Reason: Message must be shorter than 262144 bytes.", REFUSED, "MaximumMessageSize"),
    ("InvalidParameterValue", "The request include parameter that is not valid for this queue type", FIX, "other kind"),
    ("MissingParameter", "The request must contain the parameter MessageGroupId.", FIX, "other kind"),
    (
        "InvalidParameterValue",
        "Value A for parameter ReceiptHandle is invalid.",
        RETRY,
        "visible",
    ),
    ("ReceiptHandleIsInvalid", "", RETRY, "visible"),
    ("InvalidParameterValue", "Value a b for parameter MessageGroupId is invalid.", REFUSED, "rejects a parameter value"),
    ("InvalidMessageContents", "Invalid characters found", REFUSED, "character"),
    (
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "Batch requests cannot be longer than 262144 bytes.",
        REFUSED,
        "MaximumMessageSize",
    ),
    ("413", "Request Entity Too Large", REFUSED, "too large"),
    ("KeyTooLongError", "Your key is too long", REFUSED, "too long"),
    ("AWS.SimpleQueueService.InvalidBatchEntryId", "", REFUSED, "form of the request"),
    ("AWS.SimpleQueueService.UnsupportedOperation", "", REFUSED, "form of the request"),
    ("MalformedDetail", "Detail is malformed.", REFUSED, "rejects the data that was sent"),
    # whether it can now
    ("OverLimit", "", RETRY, "in flight"),
    ("RequestThrottled", "Request is throttled.", RETRY, "throttles"),
    ("ThrottlingException", "Rate exceeded", RETRY, "throttles"),
    ("ProvisionedThroughputExceededException", "The level of configured provisioned throughput", RETRY, "throttles"),
    ("RequestLimitExceeded", "Throughput exceeds the current throughput limit for your account.", RETRY, "throttles"),
    ("SlowDown", "Please reduce your request rate.", RETRY, "throttles"),
    ("InternalFailure", "", RETRY, "temporarily unavailable"),
    ("InternalServerError", "", RETRY, "temporarily unavailable"),
    ("ServiceUnavailable", "Service is unable to handle request.", RETRY, "temporarily unavailable"),
    ("502", "Bad Gateway", RETRY, "temporarily unavailable"),
    ("TransactionConflictException", "", RETRY, "another client"),
]


@pytest.mark.parametrize(("code", "text", "reaction", "words"), CASES)
def test_aws_error_maps_to_reaction_and_cause(code: str, text: str, reaction: Reaction, words: str) -> None:
    """A code with several causes never maps to only one of them."""
    found, cause = meaning(code, text)
    assert found is reaction
    assert words in cause


def test_every_error_row_is_reached_by_a_case() -> None:
    """No row of the table is shadowed by an earlier row."""
    reached = {row_of(code, text) for code, text, _, _ in CASES}
    assert [row for row in ROWS if row not in reached] == []


KNOWN = re.compile("|".join(row.code for row in ROWS if row.code != ".*"), re.IGNORECASE)
TEXTS = re.compile("|".join(row.text for row in ROWS if row.code == ".*"), re.IGNORECASE)
codes = st.text(max_size=40).filter(lambda code: not KNOWN.fullmatch(code.removeprefix("AWS.SimpleQueueService.")))


@given(codes, st.text(max_size=200).filter(lambda text: not TEXTS.search(text)))
def test_unknown_aws_error_is_retried_without_a_cause(code: str, text: str) -> None:
    assert meaning(code, text) == (RETRY, UNKNOWN)
