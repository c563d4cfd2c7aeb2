"""
List the components (SBOM, CycloneDX JSON) of a folder that pip installed, and copy the licences of its packages.

    python components.py NAME VERSION FOLDER REPORT

writes ``FOLDER/sbom.cdx.json`` from the packages' own metadata and pip's ``--report``. It imports only the standard library:
the tailer's Dockerfile runs this file by itself.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

FILE = "sbom.cdx.json"
WHEEL = "wheel"  # a property of a component: the name of the file, which says for which Python and platform it is
LICENCES = "licenses"
_SPDX = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "PSF-2.0"})
_KEPT = re.compile(
    r"[^/]+\.dist-info/(?:(?P<folder>licenses|sboms)/.+|(?:licen[cs]e|notice|copying|copyright|authors)[^/]*)", re.IGNORECASE
)


def components(name: str, version: str, installed: Path, report: Path) -> dict[str, Any]:
    """
    Return a CycloneDX 1.6 document: the application, and each package with its version, licence and the SHA-256 of its wheel.

    It contains no time and no serial number: the same packages give the same bytes.
    """
    downloads = {
        _normal(entry["metadata"]["name"]): entry["download_info"] for entry in json.loads(report.read_text())["install"]
    }
    found = sorted(distributions(path=[str(installed)]), key=lambda package: _normal(package.name))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": name,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [_component(package, downloads[_normal(package.name)]) for package in found],
    }


def _component(package: Distribution, download: dict[str, Any]) -> dict[str, Any]:
    name = _normal(package.name)
    url = f"pkg:pypi/{name}@{package.version}"
    return {
        "type": "library",
        "bom-ref": url,
        "name": name,
        "version": package.version,
        "purl": url,
        "hashes": [{"alg": "SHA-256", "content": download["archive_info"]["hashes"]["sha256"]}],
        "licenses": _licences(package),
        "properties": [{"name": WHEEL, "value": download["url"].rpartition("/")[2]}],
    }


def _licences(package: Distribution) -> list[dict[str, Any]]:
    """Return the SPDX expression of a package, or else the name that it gives its licence."""
    stated = package.metadata
    text = (stated["License"] or "").strip()
    if expression := stated["License-Expression"] or (text if text in _SPDX else ""):
        return [{"expression": expression}]
    named = [line.rpartition(" :: ")[2] for line in stated.get_all("Classifier") or () if line.startswith("License ::")]
    return [{"license": {"name": name}} for name in named or [text.partition("\n")[0]]]


def licences(installed: Path) -> Iterator[tuple[Path, Path]]:
    """
    Return the source and the target of each licence, notice and list of components of the packages.

    The target is outside of ``.dist-info``: Python would read such folders at every start.
    """
    for package in distributions(path=[str(installed)]):
        for file in package.files or ():
            if _KEPT.fullmatch(file.as_posix()):
                inside = file.parts[2:] if file.parts[1] == LICENCES else file.parts[1:]
                yield installed / file, installed.joinpath(LICENCES, f"{_normal(package.name)}-{package.version}", *inside)


def write(name: str, version: str, installed: Path, report: Path) -> None:
    (installed / FILE).write_text(json.dumps(components(name, version, installed, report), indent=1) + "\n")


def keep_licences(installed: Path) -> None:
    """Copy the licences to a folder of their own, ``licenses``."""
    for source, kept in licences(installed):
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, kept)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
