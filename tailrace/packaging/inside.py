"""
Import the mappers of an unpacked package, and report what they are.

    python -I -S -B inside.py RESULT.json MODULE:NAME FOLDER...

An isolated interpreter runs this file with the folders as its only places for packages, so it imports nothing of
``tailrace.packaging``. It writes ``{"catalogue": ...}``, or ``{"problem": KIND, ...}`` with what went wrong.
"""

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

HANDLERS = ("sqs", "dynamodb", "redrive")


def report(mappers: str) -> dict[str, Any]:
    """Return the catalogue of a table of mappers, or the first problem."""
    for handler in HANDLERS:
        importlib.import_module(f"lambda_forwarder.handlers.{handler}")
    module, _, name = mappers.partition(":")
    try:
        table: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        return {"problem": "module", "name": error.name or str(error), "importer": _importer(error, module)}
    except SyntaxError as error:
        where = _inside(error.filename or "")
        return {"problem": "syntax", "file": where, "line": error.lineno, "text": error.msg}
    except Exception as error:  # any error of the imported code
        return {"problem": "error", "text": f"{type(error).__name__}: {error}", "importer": _importer(error, module)}
    for part in name.split("."):
        if not hasattr(table, part):
            return {"problem": "name", "names": [one for one in vars(table) if not one.startswith("_")]}
        table = getattr(table, part)
    return _catalogue(mappers, table)


def _catalogue(mappers: str, table: Any) -> dict[str, Any]:
    from msgspec import to_builtins

    from lambda_forwarder.catalogue.catalogue import described
    from lambda_forwarder.settings import problems_of_mappers

    if problems := problems_of_mappers(table):
        return {"problem": "table", "text": "; ".join(problems)}
    if not any(table.values()):
        return {"problem": "empty"}
    try:
        return {"catalogue": to_builtins(described(mappers, table))}
    except Exception as error:  # an annotation of a mapper, or a type that has no schema
        return {"problem": "events", "text": f"{type(error).__name__}: {error}"}


def _importer(error: BaseException, module: str) -> str:
    """Return the last file of the package, and its line, that the error came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _inside(frame.filename) != frame.filename]
    return f"{_inside(frames[-1].filename)}, line {frames[-1].lineno}" if frames else module


def _inside(file: str) -> str:
    """Return the name of a file in the package; a file elsewhere unchanged."""
    for folder in sys.argv[3:]:
        if Path(folder) in Path(file).parents:
            return Path(file).relative_to(folder).as_posix()
    return file


if __name__ == "__main__":
    sys.path[:0] = sys.argv[3:]
    Path(sys.argv[1]).write_text(json.dumps(report(sys.argv[2])))
