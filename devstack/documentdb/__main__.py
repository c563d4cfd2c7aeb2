"""``python -P -m devstack.documentdb``: the tables of docs/reference/documentdb.md, made from the profiles."""

from collections.abc import Iterator

from devstack.documentdb.profiles import behaviours, names, variants


def tables() -> str:
    """Return the table of what is played, and the table of what is not."""
    return "\n".join([*_played(), "", *_not_played()])


def _played() -> Iterator[str]:
    profiles = {name: variants(name) for name in names()}
    yield f"| behaviour | what it is | {' | '.join(name.removeprefix('documentdb-') for name in profiles)} | source |"
    yield f"|---|---|{'---|' * len(profiles)}---|"
    for row, behaviour in behaviours().items():
        if behaviour.played:
            cells = []
            for variant in profiles.values():
                values = dict.fromkeys(str(one.values[row]) for one in variant)
                cells.append(" or ".join(values) + ("" if row in variant[0].verified else " ?"))
            yield f"| `{row}` | {behaviour.meaning} | {' | '.join(cells)} | {behaviour.source} |"


def _not_played() -> Iterator[str]:
    yield "| behaviour | what it is | why it is not played | source |"
    yield "|---|---|---|---|"
    for row, behaviour in behaviours().items():
        if not behaviour.played:
            yield f"| `{row}` | {behaviour.meaning} | {behaviour.reason} | {behaviour.source} |"


if __name__ == "__main__":
    print(tables())
