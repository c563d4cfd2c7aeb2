"""``tailrace template``: the stack of an environment as a plain CloudFormation template."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tailrace.packaging import BUILDING, package_of
from tailrace.project import load
from tailrace_cdk.project_environment import settings_of


@click.command(
    epilog="""\b
examples:
  tailrace template trial
  tailrace template production --output build/tailrace.json"""
)
@click.argument("environment", metavar="ENVIRONMENT")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="the template  [default: dist/PROJECT-ENVIRONMENT.template.json]",
)
def template(environment: str, output: Path | None) -> None:
    """
    Write the stack of ENVIRONMENT as a CloudFormation template, for Terraform or the console. It needs no CDK bootstrap.

    The Lambda zip and the tailer's image are parameters of the template: upload the zip, and push the image, before you deploy
    the template.
    """
    project = load()
    click.echo(BUILDING, err=True)
    settings, package = settings_of(project, environment), package_of(project)
    from tailrace_cdk.synthesis.nag import Findings  # the CDK takes seconds to start: a project that is refused does without
    from tailrace_cdk.synthesis.synthesis import synthesise
    from tailrace_cdk.synthesis.template import PlainStack

    with TemporaryDirectory(prefix="tailrace-template-") as folder:
        try:
            found = synthesise(lambda app: PlainStack(app, settings, package=package), Path(folder))
        except Findings as error:
            raise click.ClickException(str(error)) from None
        if problems := found.problems():
            raise click.ClickException("\n".join(problems))
        text = found.file.read_text()
    file = output or project.folder / "dist" / f"{settings.name}.template.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    click.echo(f"{file}  parameters: {', '.join(found.template['Parameters'])}")
    parameter = "PackageImage must name the image built from" if package.is_image else "PackageKey must name the uploaded zip"
    click.echo(f"{parameter}: {package.path}")
