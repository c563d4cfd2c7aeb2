"""The error of a package that cannot be built."""

from tailrace.errors import Misconfigured


class PackageError(Misconfigured):
    """The package was not written. The text names the file, the setting or the module that is wrong, and the remedy."""
