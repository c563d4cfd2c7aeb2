"""The recipe of an image that installs from the wheel: its lock and its Dockerfile, without an engine."""

import re
import shlex
from pathlib import Path

from tailrace.version import __version__
from tests.distribution.installation import Installed, interpreter, uv
from tests.howto.page import Page
from tests.howto.programs import record, recorded
from tests.tracked import REPOSITORY

DIGEST = f"sha256:{64 * 'a'}"
NOBODY = "1"  # a port on which no tailer of this machine listens


def test_recipe_locks_and_installs_the_tailer(page: Page, wheel: Path, tmp_path: Path) -> None:
    """With the built wheel in place of the published one. The image is built on the base's digest, and named by its own."""
    page.write_files()
    constraints = str(REPOSITORY / "requirements" / "dev.txt")
    page.variables |= {
        "UV_FIND_LINKS": str(wheel.parent),
        "UV_CONSTRAINT": constraints,
        "REPOSITORY": "registry.example/tailer",
    }
    record(page, "docker", buildx_imagetools_inspect=DIGEST)
    page.run()
    lock = page.folder / "tailer.txt"
    assert "tailrace==" in lock.read_text()
    page.run()
    assert page.run() == DIGEST
    base, build, named = recorded(page)
    assert base[-3] in build[build.index("--build-arg") + 1]
    assert f"BASE=python:3.13-slim@{DIGEST}" in build
    assert named[-3] == build[build.index("--tag") + 1] == f"registry.example/tailer:{__version__}"
    uv("venv", "--python", str(interpreter("3.13")), str(tmp_path / "image"))
    image = Installed(folder=tmp_path / "image")
    [install, start] = re.findall(r"^RUN (.+)$", (page.folder / "Dockerfile").read_text(), re.MULTILINE)
    words = shlex.split(install.replace("/tmp/", f"{page.folder}/").replace(" --no-cache-dir", ""))
    uv(*words, "--python", str(image.python), UV_FIND_LINKS=str(wheel.parent))
    image.run(*shlex.split(start), folder=tmp_path)
    probe = image.run("python", "-m", "tailer.health.probe", folder=tmp_path, code=1, TAILER_HTTP_PORT=NOBODY)
    assert f"no response on port {NOBODY}" in probe.stderr
