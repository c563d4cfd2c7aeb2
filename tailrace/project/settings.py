"""The settings of ``tailrace.toml``."""

from typing import Annotated, Any

from pydantic import Field

from tailer.settings.named_stream import Stream
from tailer.settings.table import Section

EnvironmentName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9]|-(?=[a-z0-9])){0,19}$")]


class ProjectSettings(Section):
    """``tailrace.toml``. The tables of an environment are those of ``tailrace_cdk.config``, which checks them."""

    name: str = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$",
        description="name of the project: letters, digits, ., - and _, at most 64; leave it out for the name of the folder",
    )
    mappers: str = Field(
        pattern=r"^[\w.]+:[\w.]+$", description="the table of mappers as module:name, for example events:MAPPERS for events.py"
    )
    sources: tuple[str, ...] = Field(
        (),
        description="files and folders of the project that go into the Lambda's zip, each under its own name; leave it out for "
        "the package or module of mappers",
    )
    requirements: str = Field(
        "",
        description="file of the locked dependencies of the mappers, name==version with hashes; leave it out if none",
    )
    base_image: str = Field(
        "",
        pattern=r"^(\S+@sha256:[0-9a-f]{64})?$",
        description="AWS's base image of Python with its digest, NAME:3.13@sha256:…; the functions are then a container image, "
        "which may be larger than a zip; leave it out for a zip",
    )
    streams: tuple[Stream, ...] = Field((), description="change streams: a table [[streams]] for each")
    environment: dict[str, Any] = Field(default_factory=dict, description="the settings that all environments have in common")
    environments: dict[EnvironmentName, dict[str, Any]] = Field(
        default_factory=dict,
        description="a table [environments.NAME] with what differs; NAME has lowercase letters and digits, at most 20, with - "
        "only between two of them",
    )
