"""
A stand-in for AWS's command line, for the commands on the pages.

    python -P -m tests.aws_command SERVICE OPERATION --option value

The command line itself pins a version of botocore that is not ours. This one knows operations and parameters by the same
models, calls what ``AWS_ENDPOINT_URL`` names, and prints as ``--query`` and ``--output`` say.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.model import Shape, StructureShape

RENAMED = {"eventsv2": "eventbridgev2", "s3api": "s3"}  # a command → its service, where the names differ
SCALARS = {"integer": int, "long": int, "float": float, "double": float}


def main(arguments: Sequence[str]) -> int:
    service, command, *rest = arguments
    session, endpoint = botocore.session.get_session(), os.environ["AWS_ENDPOINT_URL"]
    client = session.create_client(RENAMED.get(service, service), endpoint_url=endpoint)
    if command in OF_THE_COMMAND_LINE:
        OF_THE_COMMAND_LINE[command](client, *rest)
        return 0
    [operation] = [name for name in client.meta.service_model.operation_names if xform_name(name, "-") == command]
    shape = client.meta.service_model.operation_model(operation).input_shape
    given = _options(rest)
    query, output = given.pop("query", [""])[0], given.pop("output", ["json"])[0]
    most = given.pop("max-items", [None])[0]
    parameters = _parameters(shape, given)
    if client.can_paginate(xform_name(operation)):
        pages = client.get_paginator(xform_name(operation)).paginate(**parameters, PaginationConfig={"MaxItems": most})
        response = pages.build_full_result()
    else:
        response = getattr(client, xform_name(operation))(**parameters)
        response.pop("ResponseMetadata")
    found = jmespath.search(query, response) if query else response
    if found is not None and (query or found):
        sys.stdout.write(f"{_text(found) if output == 'text' else json.dumps(found, indent=4, default=str)}\n")
    return 0


def _tail(logs: Any, group: str, *options: str) -> None:
    """Print the lines of a log group, as version 2 of the command line does: time, stream, message."""
    assert _options(options).keys() <= {"since"}
    for event in logs.filter_log_events(logGroupName=group)["events"]:
        sys.stdout.write(f"{event['timestamp']}\t{event['logStreamName']}\t{event['message']}\n")


def _wait(client: Any, name: str, *options: str) -> None:
    waiter = client.get_waiter(name.replace("-", "_"))
    shape = client.meta.service_model.operation_model(waiter.config.operation).input_shape
    waiter.wait(**_parameters(shape, _options(options)))


OF_THE_COMMAND_LINE = {"tail": _tail, "wait": _wait}  # commands that are no operations of a service


def _options(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each option: every word up to the next option."""
    given: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            values = given.setdefault(word.removeprefix("--"), [])
        else:
            values.append(word)
    return given


def _parameters(shape: StructureShape | None, given: dict[str, list[str]]) -> dict[str, Any]:
    names = {xform_name(member, "-"): member for member in shape.members} if shape else {}
    return {names[option]: _value(shape.members[names[option]], values) for option, values in given.items() if shape}


def _value(shape: Shape, words: Sequence[str]) -> Any:
    """Return what the words of an option mean: JSON, a file, ``A=1,B=2``, a list of words, or a scalar."""
    first = words[0] if words else "true"
    if first.startswith("file://"):
        first = Path(first.removeprefix("file://")).read_text()
    if shape.type_name in ("list", "structure", "map") and first[:1] in "[{":
        return json.loads(first)
    if shape.type_name == "list":
        return [_value(shape.member, [word]) for word in words]
    if shape.type_name in ("structure", "map"):
        pairs = dict(part.split("=", 1) for part in first.split(","))
        members = getattr(shape, "members", {})
        return {name: _value(members.get(name, shape), [value]) if name in members else value for name, value in pairs.items()}
    if shape.type_name == "boolean":
        return first == "true"
    return SCALARS.get(shape.type_name, str)(first)


def _text(found: Any) -> str:
    """Return lists of values as lines with tabs."""
    if isinstance(found, list):
        return "\n".join(map(_text, found)) if any(isinstance(one, list) for one in found) else "\t".join(map(str, found))
    return str(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
