"""The commands of the page on a project of one's own, with the installed wheel."""

import re
import sys

from devstack import DevStack
from tailrace.dev.installed import EMULATORS, emulators_python
from tests.distribution.installation import InstalledWheel, uv
from tests.howto.page import Page
from tests.howto.programs import record
from tests.page_files import PAGES

# ``tailrace dev`` runs until Ctrl-C, which comes as soon as it is ready. The server of the page's URI is the one of the tests.
TAILRACE = """
import os, re, signal, subprocess, sys
real, server, *words = {given}, *sys.argv[1:]
if words[:1] != ["dev"]:
    os.execv(real, [real, *words])
words = [server if word.startswith("mongodb://localhost:27017/") else word for word in words]
process = subprocess.Popen([real, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
for line in process.stdout:
    print(line, end="")
    if re.search(r"MongoDB +mongodb://", line):
        process.send_signal(signal.SIGINT)
sys.exit(process.wait())
"""


def test_every_command_runs(page: Page, stack: DevStack, installed_wheel: InstalledWheel) -> None:
    """From the installation to the whole system, which Ctrl-C ends. The table of the page lists files of the project."""
    installed = installed_wheel("dev,cdk")
    uv("pip", "install", "--python", str(installed.python), "--constraints", "requirements/dev.txt", "pytest")
    page.use(installed.environment(**{EMULATORS: str(emulators_python())}))
    given = f'"{installed.folder / "bin" / "tailrace"}", "{stack.mongodb_uri}"'
    page.program("tailrace", f"#!{sys.executable} -IS\n{TAILRACE.format(given=given)}")
    record(page, "docker")
    page.run()
    page.run()
    assert page.folder.name == "shop"
    for file in re.findall(r"^\| (`.+?) \|", (PAGES / page.name).read_text(), re.MULTILINE)[:7]:
        assert [name for name in re.findall("`(.+?)`", file) if not (page.folder / name).exists()] == []
    assert "2 passed" in page.run()
    assert "MongoDB" in page.run()
    assert stack.mongodb_uri in page.run()
