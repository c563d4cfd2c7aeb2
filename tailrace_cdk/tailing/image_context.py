"""The folder that the tailer's image is built from: the files that its Dockerfile copies, from the wheel or from a clone."""

import re
import shutil
from pathlib import Path

from tailrace.packaging.shipped import shipped
from tailrace.packaging.sources import TOOLS

DOCKERFILE = "tailer/Dockerfile"
PACKAGES = Path(__file__).resolve().parents[2]
_COPIED = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)


def image_context(folder: Path) -> None:
    """Fill the folder. The same files give the same image, whether they are installed or cloned."""
    dockerfile = PACKAGES / DOCKERFILE
    for name in [DOCKERFILE, *" ".join(_COPIED.findall(dockerfile.read_text())).split()]:
        source = PACKAGES / name if name.startswith(("tailer", "tailrace")) else shipped(name)
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=_unused)
        else:
            shutil.copyfile(source, target)


def _unused(folder: str, names: list[str]) -> set[str]:
    """Name what a tailer does not use: a change of it makes no new image."""
    unused = {"__pycache__", "Dockerfile"}
    return unused.union(TOOLS if Path(folder) == PACKAGES / "tailrace" else ()).intersection(names)
