"""The Embedded Metric Format by its specification, for tests that read lines."""

import json
from typing import Any

import jsonschema

UNITS = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
]  # fmt: skip - CloudWatch's StandardUnit
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
SPECIFICATION = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 255},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 30, "items": {**NAME, "maxLength": 250}},
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": NAME,
                                        "Unit": {"enum": UNITS},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}
VALUES = 100  # values of one metric in one line

_validator = jsonschema.Draft202012Validator(SPECIFICATION)


class Line:
    """One line as CloudWatch reads it: its namespace, its dimensions, and its metrics by name."""

    def __init__(self, text: str) -> None:
        self.root: dict[str, Any] = json.loads(text, parse_constant=_no_constant)
        _validator.validate(self.root)
        (directive,) = self.root["_aws"]["CloudWatchMetrics"]
        self.namespace: str = directive["Namespace"]
        (names,) = directive["Dimensions"]
        self.dimensions: dict[str, str] = {name: self.root[name] for name in names}
        self.units: dict[str, str] = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
        self.metrics: dict[str, list[float]] = {name: self.root[name] for name in self.units}
        assert all(isinstance(value, str) and value for value in self.dimensions.values())
        for values in self.metrics.values():
            assert 1 <= len(values) <= VALUES
            assert all(isinstance(value, int | float) for value in values)

    def __getitem__(self, name: str) -> float:
        (value,) = self.metrics[name]
        return value


def lines(text: str, stream: str | None = None) -> list[Line]:
    """Return the lines of a log that carry metrics: all, those of one stream, or with an empty stream those of the task."""
    found = [Line(line) for line in text.splitlines() if '"_aws"' in line]
    return found if stream is None else [line for line in found if line.dimensions.get("Stream", "") == stream]


def _no_constant(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")
