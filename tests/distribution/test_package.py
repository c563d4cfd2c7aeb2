"""``tailrace package`` of the installed wheel, in a project outside the clone."""

from pathlib import Path
from zipfile import ZipFile

from devstack.stack import function_target
from tests.distribution.installation import InstalledWheel
from tests.tailrace.packaging import shop


def test_wheel_and_clone_build_the_same_package(installed_wheel: InstalledWheel, tmp_path: Path) -> None:
    """So our sources, the lock and the licences in the wheel are those of the clone."""
    (tmp_path / "clone").mkdir()
    ours = shop.built(shop.write(tmp_path / "clone"))
    folder = tmp_path / "wheel"
    (folder / "dist").mkdir(parents=True)
    (folder / "dist" / "cache").symlink_to(shop.CACHE)
    shop.write(folder)
    python, platform = function_target()
    target = ["--python", python, "--platform", platform or ""]
    said = installed_wheel("dev").run("tailrace", "package", *target, folder=folder).stdout
    assert f"sha256 {ours.sha256}\nevents: StreamGapDetected, OrderPlaced\n" in said
    names = ZipFile(folder / "dist" / "wheel.zip").namelist()
    assert {"LICENSE", "NOTICE", "events.py", "tailrace/change.py", "lambda_forwarder/app.py"} <= set(names)
