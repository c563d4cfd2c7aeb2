"""Roles of people and of programs outside the stack."""

from typing import Annotated

from pydantic import Field

from tailer.settings.table import Section

Principal = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/[A-Za-z0-9+=,.@_/-][A-Za-z0-9+=,.@_/*?-]*$")]
"""The ARN of a role (without a session name) or a user; ``*`` stands for any text."""


class People(Section):
    """Roles outside the stack that its resource policies do not deny. The policies of the roles give them their rights."""

    on_call: tuple[Principal, ...] = Field(
        (),
        description="ARNs of the roles on call: they may read parked changes, dead letters, claims and watermarks; * is any "
        "text, e.g. arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_OnCall_*",
    )
    repair: tuple[Principal, ...] = Field(
        (), description="ARNs of the roles for repairs: they may change and delete the contents of queues, table and bucket"
    )
    tailers: tuple[Principal, ...] = Field(
        (),
        description="ARNs of the roles of tailers outside the stack; if the stack has no tailer and none is named, "
        "the account's own policies decide who may send",
    )
