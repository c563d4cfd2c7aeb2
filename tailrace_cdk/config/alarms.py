"""The alarms."""

from pydantic import Field

from tailer.settings.table import Section
from tailrace_cdk.config.section import Arn


class Alarms(Section):
    """Where alarms are sent, and their thresholds."""

    email: str = Field(
        "",
        pattern=r"^(\S+@\S+)?$",
        description="email address; the stack makes an SNS topic for it, and the address must confirm by mail. Without "
        "customer_key the topic gets a KMS key, about USD 1.30 a month",
    )
    topic_arn: Arn = Field("", description="ARN of an existing SNS topic, instead of email")
    lag_seconds: int = Field(
        300, ge=30, le=86_400, description="alarm when a stream lags by more than this many seconds, 30 to 86400"
    )
    headroom_fraction: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="alarm when less than this part of the server's history is left before the checkpoint, e.g. 0.2",
    )
