"""The settings of a lease. Apart from a task's others, because a deployment reads them without the libraries of stores."""

from pydantic import Field

from tailer.settings.table import Table


class LeaseSettings(Table):
    """How long a task may be silent, and how long a read of its stream. A deployment has the same in ``[tailer]``."""

    lease_seconds: float = Field(
        default=15,
        ge=1,
        le=3600,
        description="seconds until another task takes over the stream of a task that stopped responding",
    )
    scan_seconds: float = Field(
        default=3600, ge=60, le=86_400, description="seconds that a read may take while the server scans its history"
    )
