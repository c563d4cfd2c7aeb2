"""``tailrace synth``: the stack of an environment for the CDK, checked."""

from pathlib import Path

import click

from tailrace.packaging import BUILDING, package_of
from tailrace.project import load
from tailrace_cdk.project_environment import settings_of


@click.command(
    epilog="""\b
examples:
  tailrace synth trial
  tailrace synth production --output build/production"""
)
@click.argument("environment", metavar="ENVIRONMENT")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="of the template and its assets  [default: cdk.out/ENVIRONMENT]",
)
def synth(environment: str, output: Path | None) -> None:
    """
    Synthesise the stack of ENVIRONMENT, and check it. It needs no account and no Docker.

    The zip of the project is built and its mappers are imported from it. The template is checked against the CDK's own rules,
    and against those of cdk-nag and cfn-lint if they are installed. A finding ends the command with exit code 1. Deploy the
    folder with: cdk deploy --app FOLDER
    """
    project = load()
    click.echo(BUILDING, err=True)
    settings, package = settings_of(project, environment), package_of(project)
    from tailrace_cdk.synthesis.nag import Findings  # the CDK takes seconds to start: a project that is refused does without
    from tailrace_cdk.synthesis.synthesis import of_environment

    try:
        made = of_environment(settings, output or project.folder / "cdk.out" / environment, package=package)
    except Findings as error:
        raise click.ClickException(str(error)) from None
    if problems := made.problems():
        raise click.ClickException("\n".join(problems))
    click.echo(made.summary())
