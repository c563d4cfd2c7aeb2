"""
Whether a package of ours has a published advisory: in each lock, and at the lower bounds of pyproject.toml, where each package,
direct or not, has the oldest version that an installer may take.

    python -P -m infra.supply.audit [TOOLS]       TOOLS: the folder with pip-audit and uv; default: those on PATH

Exit code 1 where there is one. Where the advisories cannot be reached it says that nothing was audited, and exits with 0: a
gate without a network is not a fault. An image is scanned too, if ``TAILRACE_IMAGE`` names one and grype or trivy is on PATH.
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
EXTRAS = ("tailer", "forwarder", "cdk")
SCANNERS = {
    "grype": ("--fail-on", "high", "--only-fixed"),
    "trivy": ("image", "--exit-code", "1", "--severity", "HIGH,CRITICAL", "--ignore-unfixed"),
}


class Result(Enum):
    CLEAN = "no known advisory"
    FOUND = "ADVISORIES FOUND"
    UNKNOWN = "NOT AUDITED"


def main(tools: Path | None = None) -> int:
    """Print a line for each lock, the bounds and the image; see the module for the exit code."""
    results = list(_packages(tools))
    results.append(_image(os.environ.get("TAILRACE_IMAGE", "")))
    return int(Result.FOUND in results)


def _packages(tools: Path | None) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="tailrace-audit-") as folder:
        for name in LOCKS:
            yield _say(f"requirements/{name}.txt", *_advisories(tools, REPOSITORY / "requirements" / f"{name}.txt"))
        for name in EXTRAS:
            lowest = Path(folder) / f"{name}.txt"
            resolved = _run(
                tools, "uv", "pip", "compile", "-q", "--universal", "--python-version", "3.11", "--resolution", "lowest",
                "--only-binary", ":all:", "--extra", name, "-o", str(lowest), str(REPOSITORY / "pyproject.toml"),
            )  # fmt: skip
            found = (Result.UNKNOWN, resolved.stderr) if resolved.returncode else _advisories(tools, lowest)
            yield _say(f"pyproject.toml, {name}, at its lower bounds", *found)


def _advisories(tools: Path | None, requirements: Path) -> tuple[Result, str]:
    """
    What pip-audit says of a file of pinned requirements.

    A package that the service does not know is skipped by pip-audit, and counts as not audited: a mirror without advisories
    knows none at all.
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
        return Result.UNKNOWN, f"the service knows nothing of {len(skipped)} of {len(packages)} packages"
    return Result.CLEAN, ""


def _image(image: str) -> Result:
    """Scan the image: the packages of its base are in none of the locks."""
    scanner = next(filter(shutil.which, SCANNERS), None)
    if not image or not scanner:
        lacks = "TAILRACE_IMAGE names no image" if not image else f"none of {', '.join(SCANNERS)} is on PATH"
        return _say("the tailer's image", Result.UNKNOWN, lacks)
    words = [scanner, *SCANNERS[scanner], image]
    done = subprocess.run(words, check=False)  # noqa: S603
    return _say(image, Result.FOUND if done.returncode else Result.CLEAN, f"{scanner} ended with {done.returncode}")


def _run(tools: Path | None, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    path = str(tools / program) if tools else program
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)  # noqa: S603


def _say(what: str, result: Result, why: str) -> Result:
    last = why.strip().splitlines()[-1:] if result is Result.UNKNOWN else why.splitlines()
    print(f"{what}: {result.value}", *(f"  {line}" for line in last), sep="\n")  # noqa: T201
    return result


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else None))
