"""What a stack takes from a project: the settings of an environment, and the package of the mappers."""

from pathlib import Path

from tailrace.packaging import Package, build
from tailrace.project import Project
from tailrace_cdk.config import Environment, checked


def settings_of(project: Project, environment: str, **defaults: object) -> Environment:
    """
    Return the settings of an environment, named ``<project>-<environment>``: two projects share no name.

    ``defaults`` are tables that the environment may lack.

    Raises:
        Misconfigured: there is no such environment, or a setting is wrong.
    """
    tables = {**defaults, **project.environment(environment), "name": f"{project.name}-{environment}"}
    return checked(tables, f"{project.file}, environment {environment}")


def package_of(project: Project) -> Package:
    """
    Build the zip of a project where ``tailrace package`` does.

    Raises:
        Misconfigured: the mappers do not start in Lambda.
    """
    return build(project, Path(project.folder, "dist", f"{project.name}.zip"))
