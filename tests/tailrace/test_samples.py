"""Every message ever written must stay readable: the samples are append-only."""

import hashlib
import json
from pathlib import Path

import pytest

from tailrace.message import unpack
from tailrace.wire.change import Namespace

V1 = Path(__file__).parents[1] / "samples" / "wire" / "v1"
SAMPLES = sorted(V1.glob("*.json"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_readable(path: Path) -> None:
    """The sequence numbers of its changes have no gap."""
    changes = unpack(path.read_text()).changes
    assert [change.sequence for change in changes] == list(range(changes[0].sequence, changes[0].sequence + len(changes)))


def test_no_sample_was_changed_or_removed() -> None:
    sums = dict(line.split()[::-1] for line in (V1 / "SHA256SUMS").read_text().splitlines())
    assert sums == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in SAMPLES}


def test_every_encoding_and_operation_has_a_sample() -> None:
    bodies = [path.read_text() for path in SAMPLES]
    assert {json.loads(body)["encoding"] for body in bodies} == {"identity", "gzip"}
    operations = {change.operation_type for body in bodies for change in unpack(body).changes}
    assert operations >= {"insert", "update", "replace", "delete", "drop", "rename", "dropDatabase"}


def test_rename_sample_has_its_target_or_none_in_old_messages() -> None:
    renames = {
        path.stem: change.to
        for path in SAMPLES
        for change in unpack(path.read_text()).changes
        if change.operation_type == "rename"
    }
    assert renames == {"rename": None, "rename-to": Namespace(db="payments", coll="archive")}


def test_document_keeps_the_name_of_its_message() -> None:
    """The tailer writes the name. Without it, as in old messages, the name is the key's plain JSON."""
    named = unpack((V1 / "document-names.json").read_text()).changes
    assert [change.document.removeprefix("payments.payments/") for change in named][:7] == [
        '"65f000000000000000000001"',
        '"two words"',
        '"7"',
        f"{'x' * 160}…c2f093e41879e412280bfcc0ed6533e4",
        "7",
        "Double(0.1)",
        "7.1",
    ]
    [of_before] = unpack((V1 / "compound-key.json").read_text()).changes
    assert of_before.document.startswith('payments.payments/{"a":"6')


def test_update_sample_has_paths_and_post_image_or_none_in_old_messages() -> None:
    """In old messages a path is not taken to be exact."""
    updates = {
        path.stem: change
        for path in SAMPLES
        for change in unpack(path.read_text()).changes
        if change.operation_type == "update" and change.update_description is not None
    }
    paths = updates.pop("update-paths")
    assert paths.post_image
    assert paths.update_description is not None
    assert paths.update_description.disambiguated_paths == {"a.0": ["a", "0"], "a.b": ["a.b"]}
    assert paths.after == paths.full_document
    assert not any(change.post_image for change in updates.values())
