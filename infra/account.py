"""The account that a deployment goes to: that of the credentials in this shell."""

import os
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TIMEOUT = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})  # seconds


class NoAccount(Exception):
    """Nobody knows where to deploy to; the text says what is missing."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account, by its number, and a region of it."""

    number: str
    region: str

    def __str__(self) -> str:
        return f"aws://{self.number}/{self.region}"


def account(profile: str | None = None) -> Account:
    """
    That of a profile, or else of this shell, as AWS itself says it.

    Raises:
        NoAccount: there is no region, there are no credentials, or AWS does not take them or does not answer.
    """
    try:
        session = boto3.Session(profile_name=profile)
        # In the order that the CDK asks in; boto3 does not know the first.
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or session.region_name
        if not region:
            raise NoAccount(_said("no region"))
        number: str = session.client("sts", region_name=region, config=TIMEOUT).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise NoAccount(_said(str(error))) from error
    return Account(number=number, region=region)


def _said(why: str) -> str:
    return (
        "no AWS credentials that work in this shell: aws sts get-caller-identity must answer, and AWS_REGION be set "
        f"(docs/deploy.md, 1): {why}"
    )
