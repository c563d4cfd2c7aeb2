"""The recipe of an image that installs from the wheel: its lock and its Dockerfile, without an engine."""

import re
import shlex
from pathlib import Path

from tests.distribution.installation import Installed, interpreter, uv
from tests.tracked import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "image.md").read_text()


def test_recipe_locks_and_installs_the_tailer(wheel: Path, tmp_path: Path) -> None:
    """Its own commands, with the built wheel in place of the published one."""
    lock, dockerfile = tmp_path / "tailer.txt", re.findall(r"^```dockerfile\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    [requirement] = re.findall(r"echo '(.+)' > tailer.in", PAGE)
    (tmp_path / "tailer.in").write_text(requirement)
    [compile_] = re.findall(r"^    uv (pip compile .+)$", PAGE, re.MULTILINE)
    found = {"UV_FIND_LINKS": str(wheel.parent)}
    words = [str(tmp_path / word) if word.startswith("tailer.") else word for word in shlex.split(compile_)]
    uv(*words, "--constraints", "requirements/dev.txt", **found)
    assert "tailrace==" in lock.read_text()
    uv("venv", "--python", str(interpreter("3.13")), str(tmp_path / "image"))
    image = Installed(folder=tmp_path / "image")
    [install, start] = re.findall(r"^RUN (.+)$", dockerfile, re.MULTILINE)
    words = shlex.split(install.replace("/tmp/", f"{tmp_path}/").replace(" --no-cache-dir", ""))
    uv(*words, "--python", str(image.python), **found)
    image.run(*shlex.split(start), folder=tmp_path)
    assert "no response on port 8080" in image.run("python", "-m", "tailer.health.probe", folder=tmp_path, code=1).stderr
