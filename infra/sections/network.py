"""The network."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.sections.section import ID, Section


class Network(Section):
    """A VPC of its own, or an existing one by its ids: nothing is looked up, so an account is not needed to synthesise."""

    vpc_id: str = Field("", pattern=rf"^(vpc-{ID})?$", description="the id of an existing VPC; leave it out to make one")
    private_subnet_ids: tuple[Annotated[str, Field(pattern=rf"^subnet-{ID}$")], ...] = Field(
        (), description="existing VPC only: ids of its private subnets, one or more in each availability zone"
    )
    availability_zones: tuple[str, ...] = Field(
        (),
        description="the zones by name, e.g. eu-west-1a: of an existing VPC one for each of private_subnet_ids, in the same "
        "order; of a VPC that is made as many as zones, else it has the region's first",
    )
    cidr: str = Field(
        "10.42.0.0/16", pattern=r"^\d+\.\d+\.\d+\.\d+/(1[6-9]|2[0-4])$", description="the addresses of the VPC that is made"
    )
    zones: int = Field(2, ge=2, le=3, description="availability zones of the VPC that is made, 2 or 3")
    egress: Literal["endpoints", "nat"] = Field(
        "endpoints",
        description="how tasks reach AWS from the VPC that is made: endpoints, or nat, which a MongoDB or an image elsewhere "
        "needs; an existing VPC has its own way",
    )
    nat_gateways: int = Field(1, ge=1, le=3, description="egress nat only: how many gateways; one in each zone survives a zone")

    @model_validator(mode="after")
    def _made_or_existing(self) -> "Network":
        if self.vpc_id and not self.private_subnet_ids:
            raise ValueError("vpc_id needs private_subnet_ids: name the subnets the tasks run in")
        if self.vpc_id and len(self.availability_zones) != len(self.private_subnet_ids):
            raise ValueError("availability_zones names one zone for each of private_subnet_ids")
        if not self.vpc_id and self.private_subnet_ids:
            raise ValueError("private_subnet_ids belong to an existing VPC: set vpc_id")
        named = self.availability_zones
        if not self.vpc_id and named and not (len(named) == len(set(named)) == self.zones):
            raise ValueError(f"availability_zones names {self.zones} different zones, as zones says; or leave it out")
        if self.vpc_id and (given := sorted({"cidr", "zones", "egress", "nat_gateways"} & self.model_fields_set)):
            raise ValueError(f"nothing is made in an existing VPC: leave out {', '.join(given)}, or vpc_id")
        return self
