"""The network."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tailer.settings.table import Section
from tailrace_cdk.config.section import ID

ZONE_NAME = r"[a-z]{2}(-[a-z]+)+-\d[a-z]"  # a name is a different zone in each account
ZONE_ID = r"[a-z]{2,5}\d-az\d"  # an id is the same zone in every account
NO_FARGATE = {"apne1-az3", "usw1-az2"}  # AWS, "Supported Regions for Amazon ECS on AWS Fargate"
NO_FARGATE_ON_ARM = {"use1-az3"}


class Network(Section):
    """A new VPC, or an existing VPC by its ids. Synthesis needs no account, because it looks nothing up."""

    vpc_id: str = Field("", pattern=rf"^(vpc-{ID})?$", description="id of an existing VPC; leave it out for a new VPC")
    private_subnet_ids: tuple[Annotated[str, Field(pattern=rf"^subnet-{ID}$")], ...] = Field(
        (), description="existing VPC only: ids of its private subnets, one or more in each availability zone"
    )
    availability_zones: tuple[str, ...] = Field(
        (),
        description="new VPC: as many zones as the setting zones says, by id, e.g. use1-az1, which is the same zone in every "
        "account, or by name, e.g. eu-west-1a; leave it out for the first zones of the region. Existing VPC: by name, one "
        "for each of private_subnet_ids in the same order",
    )
    cidr: str = Field("10.42.0.0/16", pattern=r"^\d+\.\d+\.\d+\.\d+/(1[6-9]|2[0-4])$", description="addresses of the new VPC")
    zones: int = Field(2, ge=2, le=3, description="availability zones of the new VPC, 2 or 3")
    egress: Literal["endpoints", "nat"] = Field(
        "endpoints",
        description="how tasks in the new VPC reach AWS: endpoints, or nat, which a MongoDB elsewhere or an image outside ECR "
        "needs; an existing VPC has its own routes",
    )
    nat_gateways: int = Field(
        1, ge=1, le=3, description="egress nat only: number of NAT gateways; one in each zone survives the loss of a zone"
    )

    @property
    def zone_ids(self) -> tuple[str, ...]:
        """The availability zones that are given by id."""
        return tuple(zone for zone in self.availability_zones if re.fullmatch(ZONE_ID, zone))

    @field_validator("availability_zones")
    @classmethod
    def _all_by_id_or_all_by_name(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [zone for zone in zones if not re.fullmatch(f"{ZONE_ID}|{ZONE_NAME}", zone)]:
            raise ValueError(f"{wrong[0]} is neither a zone name, like eu-west-1a, nor a zone id, like euw1-az1")
        if len({bool(re.fullmatch(ZONE_ID, zone)) for zone in zones}) > 1:
            raise ValueError("name all zones by name, or all by id")
        if without := sorted(set(zones) & NO_FARGATE):
            raise ValueError(f"{', '.join(without)} has no Fargate: choose another zone of the region")
        return zones

    @model_validator(mode="after")
    def _new_or_existing(self) -> "Network":
        if self.vpc_id and not self.private_subnet_ids:
            raise ValueError("vpc_id needs private_subnet_ids: name the subnets that the tasks run in")
        if self.vpc_id and len(self.availability_zones) != len(self.private_subnet_ids):
            raise ValueError("availability_zones names one zone for each of private_subnet_ids")
        if self.vpc_id and self.zone_ids:
            raise ValueError("availability_zones of an existing VPC are given by name, like eu-west-1a")
        if not self.vpc_id and self.private_subnet_ids:
            raise ValueError("private_subnet_ids belong to an existing VPC: set vpc_id")
        named = self.availability_zones
        if not self.vpc_id and named and not (len(named) == len(set(named)) == self.zones):
            raise ValueError(f"availability_zones must name {self.zones} different zones, the number in zones; or leave it out")
        if self.vpc_id and (given := sorted({"cidr", "zones", "egress", "nat_gateways"} & self.model_fields_set)):
            raise ValueError(f"the stack makes no network in an existing VPC: leave out {', '.join(given)}, or vpc_id")
        return self
