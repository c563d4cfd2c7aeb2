"""A team's own project: its ``tailrace.toml``."""

from tailrace.project.project import FILE, Project, ProjectError, load

__all__ = ["FILE", "Project", "ProjectError", "load"]
