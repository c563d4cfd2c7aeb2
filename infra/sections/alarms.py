"""The alarms."""

from pydantic import Field

from infra.sections.section import Arn, Section


class Alarms(Section):
    """Where alarms go, and what they take for too much."""

    email: str = Field(
        "",
        pattern=r"^(\S+@\S+)?$",
        description="an address that a topic is made for; it must confirm by mail. Without customer_key the topic gets a KMS "
        "key, about USD 1.30 a month",
    )
    topic_arn: Arn = Field("", description="an existing SNS topic instead of email")
    lag_seconds: int = Field(300, ge=30, le=86_400, description="seconds behind that a stream may be, 30 to 86400")
    headroom_fraction: float = Field(
        0.2, gt=0, lt=1, description="part of the history that must be left before it is lost, e.g. 0.2"
    )
