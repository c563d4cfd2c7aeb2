"""The functions, their event sources and their settings."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.package import package
from lambda_forwarder.settings import Settings
from tailrace.packaging import LAMBDA_PLATFORM, LAMBDA_PYTHON
from tests.tailrace_cdk.template import STREAMS, of_type, only, stack

MESSAGING: dict[str, Any] = {"database": None, "streams": []}
STREAM = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-01-01T00:00:00.000"


def messaging(**tables: Any) -> Any:
    return stack(**{**MESSAGING, **tables})


def function(part: str, **tables: Any) -> Any:
    return only(messaging(**tables), "AWS::Lambda::Function", f"Functions{part}")


def variables(part: str, **tables: Any) -> dict[str, Any]:
    return dict(function(part, **tables)["Environment"]["Variables"])


def test_functions_run_on_the_python_and_processor_of_the_package() -> None:
    for one in of_type(messaging(), "AWS::Lambda::Function").values():
        assert one["Runtime"] == f"python{LAMBDA_PYTHON}"
        assert one["Architectures"] == ["arm64"]
        assert one["Architectures"][0].replace("arm64", "aarch64") in LAMBDA_PLATFORM


def test_handlers_are_modules_of_the_package() -> None:
    with_table = messaging(forwarder={"dynamodb_streams": [{"stream_arn": STREAM}]})
    functions = of_type(with_table, "AWS::Lambda::Function").values()
    handlers = {one["Handler"] for one in functions}
    assert {one["Description"] for one in functions} == {f"Tailrace test: {name}" for name in ("sqs", "redrive", "dynamodb")}
    assert handlers == {
        "lambda_forwarder.handlers.sqs.handler",
        "lambda_forwarder.handlers.redrive.handler",
        "lambda_forwarder.handlers.dynamodb.handler",
    }


def test_every_variable_of_a_function_is_a_setting_of_the_forwarder() -> None:
    """And every required setting is there."""
    known = {f"FORWARDER_{name.upper()}" for name in Settings.model_fields}
    needed = {f"FORWARDER_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    everything = {"source": "a.b", "mappers": "a:B", "last_states": True, "dynamodb_streams": [{"stream_arn": STREAM}]}
    told = variables("Stream", forwarder=everything, bus={"schemas": False}, streams=STREAMS)
    assert needed < told.keys() <= known
    assert told.keys() == known  # With every option, every setting is used.


def test_setting_missing_in_an_environment_keeps_the_forwarders_default() -> None:
    """No variable is empty. The mappers are those of the package."""
    assert "FORWARDER_SOURCE" not in variables("Forwarder")
    assert variables("Forwarder")["FORWARDER_MAPPERS"] == "events:MAPPERS"
    assert variables("Forwarder", forwarder={"on_poison": "block"})["FORWARDER_ON_POISON"] == "block"


def test_queue_mapping_retries_only_failed_messages() -> None:
    """With full batches and the concurrency of the environment."""
    mapping = only(messaging(forwarder={"max_concurrency": 7}), "AWS::Lambda::EventSourceMapping")
    assert mapping["BatchSize"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 7}
    assert "MaximumBatchingWindowInSeconds" not in mapping  # A FIFO mapping has no window.


def test_redrive_is_scheduled_and_never_runs_twice_at_once() -> None:
    """It ends before the next run, and a missed run is not repeated."""
    template = messaging(forwarder={"redrive_minutes": 5})
    schedule = only(template, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
    redrive = function("Redrive", forwarder={"redrive_minutes": 5})
    assert (redrive["ReservedConcurrentExecutions"], redrive["Timeout"]) == (1, 300)
    assert only(template, "AWS::Lambda::EventInvokeConfig")["MaximumRetryAttempts"] == 0


def test_redrive_may_be_left_to_a_person() -> None:
    """Without a schedule, with Lambda's maximum timeout, and with nothing reserved in an account with nothing to reserve."""
    by_hand = {"redrive_minutes": 0, "reserve_redrive": False}
    assert of_type(messaging(forwarder=by_hand), "AWS::Scheduler::Schedule") == {}
    assert function("Redrive", forwarder=by_hand)["Timeout"] == 900
    assert "ReservedConcurrentExecutions" not in function("Redrive", forwarder=by_hand)


def test_undelivered_records_of_a_table_are_kept_before_they_expire() -> None:
    """They are retried in ever smaller batches until an hour before the stream drops them, and then stored in the bucket."""
    table = {"stream_arn": STREAM, "on_outage": "park", "start": "LATEST"}
    template = messaging(forwarder={"dynamodb_streams": [table]})
    mapping = only(template, "AWS::Lambda::EventSourceMapping", "FunctionsStreamMapping")
    assert mapping["EventSourceArn"] == STREAM
    assert mapping["StartingPosition"] == "LATEST"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (-1, 23 * 3600)
    assert "Claims" in mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert variables("Stream", forwarder={"dynamodb_streams": [table]})["FORWARDER_ON_OUTAGE"] == "park"


def test_removing_a_table_keeps_the_mappings_of_others() -> None:
    """A recreated mapping would skip or repeat records."""
    both = [{"stream_arn": STREAM.replace("orders", name)} for name in ("carts", "orders")]
    kinds = ("AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function", "AWS::IAM::Role")
    before, after = (messaging(forwarder={"dynamodb_streams": tables}) for tables in (both, both[1:]))
    for kind in kinds:
        left = of_type(after, kind)
        assert any("Streamorders" in name or "StreamMappingorders" in name for name in left)
        assert left.items() <= of_type(before, kind).items()


@pytest.mark.parametrize("days", [7, 400])
def test_function_logs_are_json_and_expire(days: int) -> None:
    """In a log group of the function."""
    forwarder = function("Forwarder", forwarder={"log_days": days})
    assert forwarder["LoggingConfig"]["LogFormat"] == "JSON"
    assert forwarder["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
    group = forwarder["LoggingConfig"]["LogGroup"]["Ref"]
    assert of_type(messaging(forwarder={"log_days": days}), "AWS::Logs::LogGroup")[group]["RetentionInDays"] == days


def test_package_contains_every_handler(tmp_path: Path) -> None:
    names = zipfile.ZipFile(package(tmp_path / "forwarder.zip").path).namelist()
    modules = ("sqs", "redrive", "dynamodb")
    assert {f"lambda_forwarder/handlers/{module}.py" for module in modules} <= set(names)
