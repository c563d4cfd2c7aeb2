"""The types of the settings of an environment."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

LOG_DAYS = (  # CloudWatch
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
KEPT = f"days to keep the logs: {', '.join(map(str, LOG_DAYS))}"
ID = "([0-9a-f]{8}|[0-9a-f]{17})"  # the id of an EC2 resource after its prefix


def _kept_days(days: int) -> int:
    if days not in LOG_DAYS:
        raise ValueError(f"CloudWatch does not keep logs for {days} days")
    return days


LogDays = Annotated[int, AfterValidator(_kept_days)]
Arn = Annotated[str, Field(pattern=r"^(arn:aws[a-z-]*:\S+)?$")]
SecretArn = Annotated[str, Field(pattern=r"^(arn:aws[a-z-]*:secretsmanager:[^:]+:\d{12}:secret:\S+-\w{6})?$")]
KeyArn = Annotated[str, Field(pattern=r"^(arn:aws[a-z-]*:kms:[^:]+:\d{12}:key/\S+)?$")]
Architecture = Literal["arm64", "x86_64"]
