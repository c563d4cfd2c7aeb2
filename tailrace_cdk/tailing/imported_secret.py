"""A secret that exists already, and the KMS key that it is encrypted with."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct


def imported_secret(scope: Construct, id: str, arn: str, key_arn: str) -> secretsmanager.ISecret | None:
    """Return the secret of this ARN, or None for an empty ARN. Without ``key_arn`` it is encrypted with AWS's own key."""
    if not arn:
        return None
    key = kms.Key.from_key_arn(scope, f"{id}Key", key_arn) if key_arn else None
    return secretsmanager.Secret.from_secret_attributes(scope, id, secret_complete_arn=arn, encryption_key=key)
