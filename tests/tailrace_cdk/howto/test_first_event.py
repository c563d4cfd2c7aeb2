"""The commands of the page on the first event, one after another, against the emulator."""

import json
import sys
from collections.abc import Iterator, Mapping

import pytest

from devstack import DevStack
from tests.howto.page import Page
from tests.tracked import REPOSITORY

CERTIFICATES = REPOSITORY / "tailer" / "mongodb" / "connection" / "amazon-rds.pem"
CLUSTER = "tailrace-mine"
# The driver's own client checks the options of the page, then connects to a server without TLS and users. The emulator
# manages no password of a cluster, so the cluster's description gets the secret that the test created.
DRIVER = """
import os, sys
import boto3

sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
del sys.modules["pymongo"]
import pymongo

def with_secret(parsed, **_):
    parsed["DBClusters"][0]["MasterUserSecret"] = {"SecretArn": "administrator"}

boto3.setup_default_session()
boto3.DEFAULT_SESSION.events.register("after-call.docdb.DescribeDBClusters", with_secret)

Real = pymongo.MongoClient

class Here(Real):
    def __init__(self, host, port, **options):
        Real(host, port, connect=False, **options)
        super().__init__(os.environ["MONGODB_URI"])

sys.modules["pymongo"].MongoClient = Here
"""
# The ordered bus is in no emulator. Each call is checked by the model of the service, and recorded.
ORDERED = """
import json, os, sys
from unittest.mock import patch
from botocore.client import BaseClient
from tests.aws_command import main

def recorded(client, operation, parameters):
    client._convert_to_request_dict(parameters, client.meta.service_model.operation_model(operation), client.meta.endpoint_url)
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(json.dumps([operation, parameters]) + "\\n")
    return {"SubscriberArn": "arn:aws:events:eu-west-1:000000000000:subscriber/1", "ResponseMetadata": {}}

if sys.argv[1] == "eventsv2":
    with patch.object(BaseClient, "_make_api_call", recorded):
        sys.exit(main(sys.argv[1:]))
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def shell(page: Page, owner: Page, stack: DevStack) -> Iterator[Page]:
    """A shell in the VPC, where the driver is installed and the cluster is there."""
    (page.folder / "pymongo.py").write_text(DRIVER)
    page.program("pip3", "#!/bin/sh\nset -ex\n[ \"$1 $2 $3\" = 'install --user --only-binary=:all:' ]\n")
    page.program("curl", f'#!/bin/sh\nset -ex\n[ $1 = -O ]\ncp "{CERTIFICATES}" $(basename $2)\n')
    page.program("aws", f"#!{sys.executable} -P\n{ORDERED}")
    page.variables |= {"MONGODB_URI": stack.mongodb_uri, "CALLS": str(page.folder / "calls")}
    docdb = stack.aws("docdb")
    docdb.create_db_cluster(
        DBClusterIdentifier=CLUSTER, Engine="docdb", MasterUsername="administrator", MasterUserPassword="not-a-secret"
    )
    secret = {"username": "administrator", "password": "not-a-secret"}
    stack.aws("secretsmanager").create_secret(Name="administrator", SecretString=json.dumps(secret))
    yield page
    stack.aws("secretsmanager").delete_secret(SecretId="administrator", ForceDeleteWithoutRecovery=True)
    docdb.delete_db_cluster(DBClusterIdentifier=CLUSTER, SkipFinalSnapshot=True)


def test_every_command_runs(shell: Page, page: Page, stack: DevStack, outputs: Mapping[str, str]) -> None:
    """From the rule to the event in the queue, and back to an account without either. The same for an ordered bus."""
    page.run()
    written = stack.mongo.payments.payments.count_documents({})
    page.run()
    assert stack.mongo.payments.payments.count_documents({}) == written + 1
    entry = {"EventBusName": CLUSTER, "Source": "app.payments", "DetailType": "PaymentCreated", "Detail": '{"data": {"n": 1}}'}
    stack.aws("events").put_events(Entries=[entry])
    assert json.loads(page.run())["detail-type"] == "PaymentCreated"
    page.run()
    assert stack.aws("events").list_rules(EventBusName=CLUSTER, NamePrefix="see-events")["Rules"] == []
    assert stack.aws("sqs").list_queues(QueueNamePrefix="see-events").get("QueueUrls", []) == []
    page.run_all()
    created, deleted = map(json.loads, (page.folder / "calls").read_text().splitlines())
    assert created[0] == "CreateSubscriber"
    assert created[1]["EventBusArn"] == outputs["EventBusArn"]
    assert created[1]["InvokeConfiguration"]["RoleArn"].endswith(":role/see-events")
    assert deleted == ["DeleteSubscriber", {"SubscriberArn": page.variables["SUBSCRIBER_ARN"]}]
    assert stack.aws("sqs").list_queues(QueueNamePrefix="see-events").get("QueueUrls", []) == []
