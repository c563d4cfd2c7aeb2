"""Which files of the forwarder's dependencies a function uses. The dependencies of the mappers are packed whole."""

from collections.abc import Callable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from tailrace.packaging.lock import Pins

# The services whose models are in the zip. boto3 is in it because the runtime's boto3 may be older than the eventbridgev2
# client; its models of 400 other services are not.
CLIENTS = frozenset({"events", "eventbridgev2", "sqs", "dynamodb", "s3", "sts"})
UNUSED_FOLDERS = frozenset({"tests", "bin", "boto3/examples"})
# The function uses the metrics of Powertools. The rest, for example a web page of 1.5 MB, is left out.
POWERTOOLS = frozenset({"exceptions", "logging", "metrics", "shared", "tracing", "warnings", "utilities/jmespath_utils"})
UNUSED_SUFFIXES = (".pyi", "examples-1.json")
KEPT_METADATA = frozenset({"METADATA", "entry_points.txt"})  # what importlib.metadata reads


def is_needed(installed: Path, ours: Pins) -> Callable[[Path], bool]:
    """Return the test of a path relative to ``installed``, where pip installed ``ours`` and dependencies of the mappers."""
    theirs = [found for found in distributions(path=[str(installed)]) if canonicalize_name(found.name) not in ours]
    whole = {top for found in theirs for top in _tops(found)}

    def test(path: Path) -> bool:
        top = path.parts[0]
        if top == "bin":
            return False
        if top in whole:
            return path.name in KEPT_METADATA if top.endswith(".dist-info") else True
        return _is_used(path)

    return test


def _tops(found: Distribution) -> set[str]:
    return {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "bin", "__pycache__")}


def _is_used(path: Path) -> bool:
    if path.name.endswith(UNUSED_SUFFIXES) or path.parts[0].endswith(".dist-info"):
        return False
    if UNUSED_FOLDERS.intersection((*path.parts, "/".join(path.parts[:2]))):
        return False
    if path.parts[0] == "aws_lambda_powertools":
        *folders, _ = (part for part in path.parts[1:] if part != "__pycache__")
        return not folders or folders == ["utilities"] or bool(POWERTOOLS.intersection((folders[0], "/".join(folders[:2]))))
    is_model = path.parts[:2] in {("botocore", "data"), ("boto3", "data")} and len(path.parts) > 3
    return path.parts[2] in CLIENTS if is_model else True
