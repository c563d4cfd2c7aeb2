"""The AWS account of the credentials in this shell, which a deployment goes to."""

import os

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})  # seconds


class NoAccount(Exception):
    """The account is unknown; the text says what is missing."""


def account(profile: str | None = None) -> str:
    """Return the account and the region of the profile, or of this shell, as ``aws://NUMBER/REGION``."""
    try:
        session = boto3.Session(profile_name=profile)
        # In the order of the CDK; boto3 does not read the first variable.
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or session.region_name
        if not region:
            raise NoAccount(_message("no region"))
        number: str = session.client("sts", region_name=region, config=CONFIG).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise NoAccount(_message(str(error))) from error
    return f"aws://{number}/{region}"


def _message(why: str) -> str:
    return (
        f"This shell has no working AWS credentials: {why}. Sign in so that aws sts get-caller-identity succeeds, and set "
        "AWS_REGION (docs/how-to/deploy.md, 1)."
    )
