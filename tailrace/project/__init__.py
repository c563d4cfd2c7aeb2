"""A team's own project: its ``tailrace.toml``."""

from tailrace.project.project import FILE, NoProject, Project, ProjectError, load

__all__ = ["FILE", "NoProject", "Project", "ProjectError", "load"]
