"""
Look for published advisories of our packages: in each lock, and at the lower bounds of pyproject.toml, that is with the oldest
version of each package, direct or not, that an installer may choose.

    python -P -m infra.supply.audit [TOOLS]       TOOLS: the folder with pip-audit and uv; default: those on PATH

The exit code is 1 if there is an advisory. If the advisories cannot be fetched, the output says that nothing was audited, and
the exit code is 0: a missing network is no failure. If ``TAILRACE_IMAGE`` names an image, and grype or trivy is on PATH, the
image is scanned too.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCKS = ("tailer", "forwarder", "infra", "dev", "emulators")
EXTRAS = ("tailer", "forwarder", "cdk", "dev")
SCANNERS = {
    "grype": ("--fail-on", "high", "--only-fixed"),
    "trivy": ("image", "--exit-code", "1", "--severity", "HIGH,CRITICAL", "--ignore-unfixed"),
}


class Result(Enum):
    CLEAN = "no known advisory"
    FOUND = "ADVISORIES FOUND"
    UNKNOWN = "NOT AUDITED"


def main(tools: Path | None = None) -> int:
    """Print a line for each lock, each lower bound and the image, and return the exit code."""
    results = list(_packages(tools))
    results.append(_image(os.environ.get("TAILRACE_IMAGE", "")))
    return int(Result.FOUND in results)


def _packages(tools: Path | None) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="tailrace-audit-") as folder:
        for name in LOCKS:
            yield _report(f"requirements/{name}.txt", *_advisories(tools, REPOSITORY / "requirements" / f"{name}.txt"))
        for name in EXTRAS:
            lowest = Path(folder) / f"{name}.txt"
            resolved = _run(
                tools, "uv", "pip", "compile", "-q", "--universal", "--python-version", "3.11", "--resolution", "lowest",
                "--only-binary", ":all:", "--extra", name, "-o", str(lowest), str(REPOSITORY / "pyproject.toml"),
            )  # fmt: skip
            found = (Result.UNKNOWN, resolved.stderr) if resolved.returncode else _advisories(tools, lowest)
            yield _report(f"pyproject.toml, {name}, at its lower bounds", *found)


def _advisories(tools: Path | None, requirements: Path) -> tuple[Result, str]:
    """
    Return the findings of pip-audit for a file of pinned requirements.

    pip-audit skips a package that the service does not know. It counts as not audited: a mirror without advisories knows no
    package.
    """
    done = _run(tools, "pip-audit", "--disable-pip", "--no-deps", "--format", "json", "--requirement", str(requirements))
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Result.UNKNOWN, done.stderr
    found = [f"{one['name']} {one['version']}: {fault['id']}" for one in packages for fault in one.get("vulns", ())]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if found:
        return Result.FOUND, "\n".join(found)
    if skipped or not packages:
        return Result.UNKNOWN, f"the service does not know {len(skipped)} of {len(packages)} packages"
    return Result.CLEAN, ""


def _image(image: str) -> Result:
    """Scan the image: the packages of its base image are in no lock."""
    scanner = next(filter(shutil.which, SCANNERS), None)
    if not image or not scanner:
        lacks = "TAILRACE_IMAGE names no image" if not image else f"none of {', '.join(SCANNERS)} is on PATH"
        return _report("the tailer's image", Result.UNKNOWN, lacks)
    words = [scanner, *SCANNERS[scanner], image]
    done = subprocess.run(words, check=False)  # noqa: S603
    return _report(image, Result.FOUND if done.returncode else Result.CLEAN, f"{scanner} ended with {done.returncode}")


def _run(tools: Path | None, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    path = str(tools / program) if tools else program
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)  # noqa: S603


def _report(what: str, result: Result, why: str) -> Result:
    last = why.strip().splitlines()[-1:] if result is Result.UNKNOWN else why.splitlines()
    print(f"{what}: {result.value}", *(f"  {line}" for line in last), sep="\n")  # noqa: T201
    return result


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else None))
