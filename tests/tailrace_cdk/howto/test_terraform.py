"""The commands of the page on Terraform, whose module fits the template."""

import json
import re

from tests.howto.page import Page
from tests.howto.programs import record, recorded
from tests.tailrace.packaging import shop
from tests.tailrace_cdk.test_pages import PROJECT


def test_every_command_runs(page: Page) -> None:
    """The module has the parameters of the template, and reads an output of it. It is too large to be given directly."""
    shop.write_with_cache(page.folder, tailrace_toml=PROJECT)
    page.write_files()
    page.run()
    text = (page.folder / "dist" / "tailrace.json").read_text()
    template, module = json.loads(text), (page.folder / "main.tf").read_text()
    [block] = re.findall(r"parameters = {(.*?)}", module, re.DOTALL)
    assert set(re.findall(r"^ +(\w+) +=", block, re.MULTILINE)) == template["Parameters"].keys()
    assert set(re.findall(r'outputs\["(\w+)"\]', module)) <= template["Outputs"].keys()
    assert (page.folder / "dist" / "shop.zip").is_file()
    assert len(text) > 51_200
    record(page, "terraform")
    page.run_all()
    init, apply = recorded(page)
    assert init == ["terraform", "init"]
    assert apply[:2] == ["terraform", "apply"]
    assert apply[2::2] == ["-var", "-var"]
    assert [word.partition("=")[0] for word in apply[3::2]] == re.findall(r'^variable "(\w+)"', module, re.MULTILINE)
