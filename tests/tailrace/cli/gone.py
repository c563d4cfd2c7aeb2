"""A command whose package is not installed."""

import no_such_package  # type: ignore[import-not-found]

gone = no_such_package
