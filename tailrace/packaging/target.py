"""What a package is for: a Python version and a platform."""

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from packaging.markers import default_environment

from tailrace.packaging.errors import PackageError

LAMBDA_PYTHON = "3.13"
LAMBDA_PLATFORM = "manylinux2014_aarch64"
_PLATFORM = re.compile(r"manylinux(?:_\d+_\d+|\d+)_(x86_64|aarch64)")


@dataclass(frozen=True, kw_only=True)
class Target:
    """``python`` is a minor version ("3.13"), ``platform`` a platform tag of pip. Without a platform it is this machine's."""

    python: str
    platform: str | None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"3\.\d{1,2}", self.python):
            raise PackageError(f"{self.python} is not a Python version such as {LAMBDA_PYTHON}")
        if self.platform and not _PLATFORM.fullmatch(self.platform):
            raise PackageError(
                f"{self.platform} is not a platform of Lambda; name manylinux2014_aarch64 (arm64) or manylinux2014_x86_64"
            )

    @property
    def interpreter(self) -> str | None:
        """An interpreter of this version on this machine: the one that runs now, or one on PATH."""
        if self.python == running_python():
            return sys.executable
        found = shutil.which(f"python{self.python}")
        asked = found and subprocess.run([found, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        return found if asked and asked.stdout.startswith(f"Python {self.python}.") else None

    @property
    def is_this_machine(self) -> bool:
        """Whether native code of this platform runs here."""
        machine = _machine(self.platform) if self.platform else ""
        return not machine or (sys.platform == "linux" and platform.machine() == machine and platform.libc_ver()[0] == "glibc")

    def markers(self) -> dict[str, str]:
        """Return the values of the environment markers. pip would use those of the interpreter that runs it."""
        values = {str(name): str(value) for name, value in default_environment().items()}
        if self.python != running_python():
            values |= {"python_version": self.python, "python_full_version": f"{self.python}.0"}
            values["implementation_version"] = values["python_full_version"]
        if self.platform:
            values |= {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"}
            values["platform_machine"] = _machine(self.platform)
        return values


def running_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _machine(tag: str) -> str:
    found = _PLATFORM.fullmatch(tag)
    return found[1] if found else ""
