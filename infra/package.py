"""
Build the forwarder's zip with the mappers of ``examples/payments``: ``dist/forwarder.zip``.

    python -P -m infra.package --output dist/forwarder.zip --python 3.13 --platform manylinux2014_aarch64
"""

import argparse
from pathlib import Path

from tailrace.packaging import LAMBDA_PLATFORM, LAMBDA_PYTHON, Package, build
from tailrace.project import Project, load

REPOSITORY = Path(__file__).resolve().parents[1]
CACHE = REPOSITORY / "dist" / "cache"


def example() -> Project:
    """Return the project whose mappers are in the zip."""
    return load(REPOSITORY / "examples" / "payments")


def package(output: Path, python: str = LAMBDA_PYTHON, platform: str | None = LAMBDA_PLATFORM) -> Package:
    """Build the package. An empty platform is this machine's."""
    return build(example(), output, python=python, platform=platform or None, cache=CACHE)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -P -m infra.package", description="Build the forwarder Lambda's zip.")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist" / "forwarder.zip", metavar="FILE")
    parser.add_argument("--python", default=LAMBDA_PYTHON, help="the runtime's version (default: %(default)s)")
    parser.add_argument("--platform", default=LAMBDA_PLATFORM, help="pip's platform tag (default: %(default)s)")
    chosen = parser.parse_args()
    made = package(chosen.output, chosen.python, chosen.platform)
    print(f"{made.path}  {made.path.stat().st_size:,} bytes  sha256 {made.sha256}")  # noqa: T201


if __name__ == "__main__":
    main()
