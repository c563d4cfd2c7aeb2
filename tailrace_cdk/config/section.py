"""The base of every table of an environment, and types of settings."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tailer.settings.table import Table

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


class Section(Table):
    """A frozen table of settings. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", regex_engine="python-re")


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in the annotation of a setting: a setting that has one is a table of its own."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from sections(part)
