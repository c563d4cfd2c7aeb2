"""The settings of a stack from the environment of a project."""

import hashlib
import re

from tailrace.project import Project
from tailrace_cdk.config import NAME_LIMIT, Environment, checked

DIGEST = 8  # characters of a digest


def settings_of(project: Project, environment: str, **defaults: object) -> Environment:
    """
    Return the settings of an environment, named ``<project>-<environment>``: two projects share no name.

    ``defaults`` are tables that the environment may lack.

    Raises:
        Misconfigured: there is no such environment, or a setting is wrong.
    """
    tables = {**defaults, **project.environment(environment), "name": _name(f"{project.name}-{environment}")}
    return checked(tables, f"{project.file}, environment {environment}")


def _name(text: str) -> str:
    """Return the text as a name of an environment. A digest takes the place of what is too long."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(name) <= NAME_LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGEST]
    return f"{name[: NAME_LIMIT - DIGEST - 1].rstrip('-')}-{digest}"
