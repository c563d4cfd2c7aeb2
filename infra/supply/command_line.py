"""
Install the CDK's command line from its lock: checked against its hash, once, beside the Python environment.

    python -P -m infra.supply.command_line lock

makes the lock again from ``requirements/cdk/package.json``. ``.npmrc`` beside it keeps the names of registries out of the lock.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from tailrace_cdk.node import own_node

# The first aws-cdk that reads the output of aws-cdk-lib 2.275 is 2.1148.0. 3.0.0 does not read it.
LOCKED = Path(__file__).resolve().parents[2] / "requirements" / "cdk"
FILES = ("package.json", "package-lock.json", ".npmrc")
NPM = Path("lib", "node_modules", "npm", "bin", "npm-cli.js")
PROGRAM = Path("node_modules", "aws-cdk", "bin", "cdk")
QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class NotInstalled(Exception):
    """npm could not install the packages of the lock. It has printed the reason."""


def installed(root: Path | None = None) -> Path:
    """Return the path of the program, after ``npm ci`` if this environment (or ``root``) does not have it yet."""
    digest = sha256(b"".join((LOCKED / name).read_bytes() for name in FILES)).hexdigest()
    folder = (root or Path(sys.prefix)) / f"cdk-{digest[:16]}"
    if not (folder / PROGRAM).exists():
        _install(folder)
    return folder / PROGRAM


def _install(folder: Path) -> None:
    """Install in one step: two installations at once both end with a complete one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cdk-", dir=folder.parent) as beside:
        made = Path(beside) / "made"
        made.mkdir()
        for name in FILES:
            shutil.copyfile(LOCKED / name, made / name)
        if npm("ci", *QUIET, folder=made):
            raise NotInstalled(
                "npm could not install the CDK's command line from requirements/cdk/package-lock.json; see above"
            )
        try:
            made.rename(folder)
        except OSError:
            if not (folder / PROGRAM).exists():  # else another process was faster
                raise


def npm(*arguments: str, folder: Path) -> int:
    node = own_node()
    run = [str(node), str(node.parents[1] / NPM), *arguments]
    return subprocess.run(run, cwd=folder, env=environment(), stdout=sys.stderr, check=False).returncode  # noqa: S603


def environment() -> dict[str, str]:
    """Return the variables of this process, with the Node.js of the lock first on the path."""
    return {**os.environ, "PATH": f"{own_node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    sys.exit(npm("install", "--package-lock-only", *QUIET, folder=LOCKED) if sys.argv[1:] == ["lock"] else 2)
