"""The commands of the page on a CDK app of one's own, in the folder of a project whose package the app builds."""

import sys

from tests.howto.page import Page
from tests.tailrace.packaging import shop
from tests.tailrace_cdk.test_pages import PROJECT, resources

# The CDK's command line runs the app, and tells it where the assembly goes. tests/infra/test_command.py has the real one.
NPX = """
import json, os, subprocess, sys
package, command, *options = sys.argv[1:]
assert package == "aws-cdk@2", sys.argv
app = options[options.index("--app") + 1]
assert [option for option in options if option.startswith("--")] == (["--quiet"] if command == "synth" else []) + ["--app"]
if command == "synth":
    subprocess.run(app, shell=True, check=True, env={**os.environ, "CDK_OUTDIR": "cdk.out/synth"})
print(command)
"""


def test_every_command_runs(page: Page) -> None:
    """The app has its own parts, on the bus and in the VPC that exist. The app with arguments makes both."""
    shop.write_with_cache(page.folder, tailrace_toml=PROJECT)
    page.write_files()
    page.program("npx", f"#!{sys.executable} -IS\n{NPX}")
    assert page.run_all().split() == ["synth", "deploy"]
    kinds = set(resources(page.folder / "cdk.out" / "synth" / "shop-trial.template.json").values())
    assert kinds >= {"AWS::ECS::Service", "AWS::Lambda::Function", "AWS::EventSchemas::Schema"}
    assert kinds.isdisjoint({"AWS::Events::EventBus", "AWS::EC2::VPC"})

    page.bash("CDK_OUTDIR=arguments python arguments.py")
    kinds = set(resources(page.folder / "arguments" / "shop-production.template.json").values())
    assert kinds >= {"AWS::Events::EventBus", "AWS::EC2::VPC"}
