"""The public names of the package, as a list: to add or remove a name is a decision."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import tailrace
from tailrace import consuming, testing
from tailrace.testing import running_project

ROOT = Path(__file__).parents[2]
CONSUMING = [
    *(
        "DynamodbInbox",
        "Event",
        "Events",
        "Inbox",
        "MemoryInbox",
        "Message",
        "Metadata",
        "NotAnEvent",
        "S3Claims",
        "UnknownEvent",
    ),
    *("handle", "messages"),
]
TESTING = [
    *("ChangeStream", "ContractBroken", "NotPublished", "TableStream", "documentdb", "dynamodb", "eventbridge", "events_of"),
    *("mongodb", "published", "sqs", "validate"),
]
RUNNING = ["EventMissing", "Listener", "RunningProject", "StartFailed"]
PUBLIC = ["Change", "Document", "DomainEvent", "Mapper", "Mappers", "Namespace", "Patch", "Time", "Uncertain", "remembers"]


@pytest.mark.parametrize(
    ("package", "public"), [(tailrace, PUBLIC), (consuming, CONSUMING), (testing, TESTING), (running_project, RUNNING)]
)
def test_public_names_are_exactly_these(package: ModuleType, public: list[str]) -> None:
    """The package has a py.typed."""
    assert package.__all__ == public
    assert all(hasattr(package, name) for name in public)
    assert (ROOT / "tailrace" / "py.typed").exists()


def test_example_mappers_import_only_public_names() -> None:
    files = [
        *(ROOT / "examples" / "payments" / "events").glob("*.py"),
        *(ROOT / "tailrace" / "mappers").glob("*.py"),
        ROOT / "examples" / "razors" / "razors" / "events.py",
    ]
    for file in files:
        imports = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)]
        ours = {node.module for node in imports if (node.module or "").startswith(("tailrace", "tailer", "lambda_forwarder"))}
        assert all(module == "tailrace" or (module or "").startswith("tailrace.mappers") for module in ours), file


@pytest.mark.parametrize("package", ["tailrace", "tailrace.consuming"])
def test_package_imports_only_msgspec(package: str) -> None:
    """Users pay for no AWS client, database driver or settings library."""
    code = f"import sys, {package}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert {"msgspec", "tailrace"} <= set(loaded)
    assert not {"boto3", "pymongo", "pydantic", "jsonpatch", "tailer", "lambda_forwarder"} & set(loaded)
