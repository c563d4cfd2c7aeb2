"""The commands of the page on releasing, in a clone of this checkout."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.howto.page import Page
from tests.howto.programs import record, recorded
from tests.tracked import REPOSITORY

DIGEST = f"sha256:{64 * 'a'}"
SIGNATURE = "#!/bin/sh\ncat > /dev/null\necho signature\necho '[GNUPG:] SIG_CREATED ' >&2\n"


@pytest.fixture
def clone(page: Page) -> Page:
    """A clone whose owner can sign, with nothing to build: each of these targets has tests of its own."""
    subprocess.run(
        ["git", "clone", "--quiet", "--no-local", "--depth", "1", REPOSITORY.as_uri(), "."], cwd=page.folder, check=True
    )
    page.program("make", f'#!/bin/sh\nexec {shutil.which("make")} --dry-run "$@"\n')
    page.program("sign", SIGNATURE)
    settings = {"user.name": "owner", "user.email": "owner@example.com", "user.signingkey": "0", "gpg.program": "sign"}
    page.variables |= {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        page.variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    record(page, "docker", buildx_imagetools_inspect=DIGEST)
    record(page, "cosign")
    record(page, "gh")
    page.variables |= {"REGISTRY": "registry.example", "REPOSITORY": "owner/tailrace", "SIGNER": "owner", "ISSUER": "issuer"}
    return page


def test_every_command_runs(page: Page, clone: Page) -> None:
    """The tag is signed, and each later command is about its clone and about the image by its digest."""
    assert "infra.supply.audit" in page.run()
    assert "signature" in page.bash("git cat-file tag v$VERSION")
    assert "uv build" in page.run()
    tag = page.folder.parent / f"tailrace-{page.variables['VERSION']}"
    files(tag, f"tailrace-{page.variables['VERSION']}-py3-none-any.whl")
    assert "infra.package" in page.run()
    assert (page.folder, (tag / "forwarder.cdx.json").read_text()) == (tag, "{}")
    shutil.copy(next(tag.glob("dist/python/*.whl")), tag)
    ours, theirs = page.run().splitlines()
    assert ours.split()[0] == theirs.split()[0]
    base, build, *signed, verified, image = recorded(page)
    assert base[-1] == "{{.Manifest.Digest}}"
    assert f"BASE=python:3.13-slim@{DIGEST}" in build
    assert signed[0] == ["cosign", "sign", f"registry.example/tailer@{DIGEST}"]
    assert signed[1][-1] == "dist/forwarder.zip"
    assert verified[3] == theirs.split()[1].rpartition("/")[2]
    assert image[2] == f"registry.example/tailer@{DIGEST}"


def files(tag: Path, wheel: str) -> None:
    """Write what the builds would have left in the clone of the tag."""
    (tag / "image.json").write_text(json.dumps({"containerimage.digest": DIGEST}))
    (tag / "dist" / "python").mkdir(parents=True)
    (tag / "dist" / "python" / wheel).write_text("wheel")
    with zipfile.ZipFile(tag / "dist" / "forwarder.zip", "w") as zipped:
        zipped.writestr("sbom.cdx.json", "{}")
