"""
Stand-ins for programs that need a daemon, an account or a registry. Each refuses an option that its documentation lacks,
and records the call. ``docs/operations/not-tried.md`` names them.
"""

import json
import sys
from pathlib import Path

from tests.howto.page import Page

OPTIONS = {  # as the documentation of each program lists them, as far as the pages use them
    "cosign sign": set(),
    "cosign sign-blob": {"--bundle"},
    "cosign verify": {"--certificate-identity", "--certificate-oidc-issuer"},
    "docker buildx build": {
        "--build-arg", "--file", "--label", "--metadata-file", "--platform", "--provenance", "--push", "--sbom", "--tag",
    },
    "docker buildx imagetools inspect": {"--format"},
    "docker compose up": {"--detach", "--wait"},
    "gh attestation verify": {"--repo"},
    "terraform apply": {"-var"},
    "terraform init": set(),
}  # fmt: skip
RECORDER = """
import json, sys
name, options, answers, calls = {given}
words = [name, *sys.argv[1:]]
command = next((known for known in options if words[: len(known.split())] == known.split()), "")
assert command, words
used = {{word.partition("=")[0] for word in words if word.startswith("-")}}
assert used <= set(options[command]), used - set(options[command])
with open(calls, "a") as file:
    file.write(json.dumps(words) + "\\n")
sys.stdout.write(answers.get(command, ""))
"""


def record(page: Page, name: str, **answers: str) -> None:
    """Put the stand-in for a program on PATH. ``answers`` are what its commands print: ``buildx_imagetools_inspect="…"``."""
    options = {command: sorted(known) for command, known in OPTIONS.items() if command.split()[0] == name}
    printed = {f"{name} {command.replace('_', ' ')}": text for command, text in answers.items()}
    given = (name, options, printed, str(_calls(page)))
    page.program(name, f"#!{sys.executable} -IS\n{RECORDER.format(given=repr(given))}")


def recorded(page: Page) -> list[list[str]]:
    """Return the words of each call."""
    return [json.loads(line) for line in _calls(page).read_text().splitlines()]


def _calls(page: Page) -> Path:
    return page.work / "calls"
