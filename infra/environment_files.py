"""The environments of this repository: ``infra/environments/NAME.toml``."""

from pathlib import Path

from tailrace_cdk.config import Misconfigured

ENVIRONMENTS = Path(__file__).parent / "environments"


def there() -> str:
    return ", ".join(sorted(file.stem for file in ENVIRONMENTS.glob("*.toml")))


def named(name: str) -> Path:
    """Return the file of an environment: ``mine`` and ``mine.toml`` are in ``infra/environments/``, anything else is a path."""
    given = Path(name)
    ours = ENVIRONMENTS / f"{name.removesuffix('.toml')}.toml"
    file = ours if len(given.parts) == 1 and ours.is_file() else given
    if file.suffix == ".toml" and file.is_file():
        return file
    raise Misconfigured(f"There is no environment {name}. Name one of {there()} (infra/environments/), or the path of a file.")
