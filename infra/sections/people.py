"""People, and programs outside of the stack."""

from typing import Annotated

from pydantic import Field

from infra.sections.section import Section

Principal = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/[A-Za-z0-9+=,.@_/-][A-Za-z0-9+=,.@_/*?-]*$")]
"""The ARN of a role or a user; a role without the session's name, * for what is not known of it."""


class People(Section):
    """Roles that the stack does not make and whose calls its resources let through. What they may do their own policies say."""

    on_call: tuple[Principal, ...] = Field(
        (),
        description="ARNs of the roles of who is on call: they look at what was set aside, at claims and at watermarks; * is "
        "any text, e.g. arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_OnCall_*",
    )
    repair: tuple[Principal, ...] = Field(
        (), description="ARNs of the roles of who repairs: they may change and delete what queues, table and bucket hold"
    )
    tailers: tuple[Principal, ...] = Field(
        (),
        description="ARNs of the roles of tailers that run outside of the stack; where it has none and none is named, who may "
        "send is left to the account's own policies",
    )
