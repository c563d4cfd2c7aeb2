"""The table of the kinds of store: settings, composition root and checks ask it."""

import pytest

from tailer.stores.dynamodb import DynamodbCheckpoints
from tailer.stores.file import FileCheckpoints
from tailer.stores.kind import Kind
from tailer.stores.mongodb import MongodbCheckpoints, SeparateMongodb
from tailer.stores.table import KINDS, kind_of


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("dynamodb://state", DynamodbCheckpoints),
        ("mongodb:", MongodbCheckpoints),
        ("mongodb://elsewhere/", SeparateMongodb),
        ("mongodb+srv://elsewhere/", SeparateMongodb),
        ("file:///var/state.json", FileCheckpoints),
    ],
)
def test_url_names_one_kind(url: str, kind: type[Kind]) -> None:
    assert kind_of(url) is kind


@pytest.mark.parametrize("url", ["", "dynamodb://", "mongodb", "mongodb://", "file://state.json", "redis://host", " mongodb:"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not a known kind of store"):
        kind_of(url)


def test_refusal_repeats_no_secret() -> None:
    """The reason names the mistake in the URI, and nothing before its last ``@``."""
    with pytest.raises(ValueError, match="must be escaped") as refused:
        kind_of("mongodb://user:hun@ter/two@host/")
    assert "hun" not in str(refused.value)
    assert "two" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_kind_describes_itself(kind: type[Kind]) -> None:
    """Its form is what its pattern matches, and its remedies name the setting that a person changes or checks."""
    assert kind_of(kind.form.partition(" ")[0].replace("…", "state")) is kind
    assert "TAILER_" in kind.outage
    assert "TAILER_" in kind.mistake
