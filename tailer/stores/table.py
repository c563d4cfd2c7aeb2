"""The kinds of store that TAILER_CHECKPOINTS can name. A new store is one file, and one line here."""

import re

from tailer.stores.dynamodb import DynamodbCheckpoints
from tailer.stores.file import FileCheckpoints
from tailer.stores.kind import Kind
from tailer.stores.mongodb import MongodbCheckpoints, SeparateMongodb

KINDS: tuple[type[Kind], ...] = (
    DynamodbCheckpoints,
    MongodbCheckpoints,
    SeparateMongodb,
    FileCheckpoints,
)
FORMS = ", ".join(kind.form for kind in KINDS[:-1]) + f" or {KINDS[-1].form}"


def kind_of(url: str) -> type[Kind]:
    """Return the kind of store that TAILER_CHECKPOINTS names. A ValueError says why there is none, and repeats no secret."""
    for kind in KINDS:
        if re.fullmatch(kind.pattern, url):
            if why := kind.refusal(url):
                raise ValueError(why)
            return kind
    raise ValueError("not a known kind of store")
