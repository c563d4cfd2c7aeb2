"""``tailrace completion``: the script of click that completes commands and options in a shell."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
examples:
  tailrace completion bash >> ~/.bashrc
  tailrace completion zsh >> ~/.zshrc
  tailrace completion fish > ~/.config/fish/completions/tailrace.fish"""
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes the commands and options of tailrace in SHELL."""
    script = get_completion_class(shell)
    assert script  # noqa: S101 - SHELLS are shells of click
    click.echo(script(context.find_root().command, {}, "tailrace", "_TAILRACE_COMPLETE").source())
