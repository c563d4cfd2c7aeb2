"""The package of a project for Lambda: the forwarder, the project's mappers, their locked dependencies, checked before use."""

from tailrace.catalogue import Catalogue, Event
from tailrace.packaging.errors import PackageError
from tailrace.packaging.image import package_of
from tailrace.packaging.package import BUILDING, Package, build
from tailrace.packaging.target import LAMBDA_PLATFORM, LAMBDA_PYTHON

__all__ = [
    "BUILDING",
    "LAMBDA_PLATFORM",
    "LAMBDA_PYTHON",
    "Catalogue",
    "Event",
    "Package",
    "PackageError",
    "build",
    "package_of",
]
