"""Environments of every kind. Each is synthesised once in a session (``made``, in the conftest)."""

from infra.environment_files import ENVIRONMENTS
from infra.pages.security import everything
from tailrace_cdk.config import Environment, load
from tests.tailrace_cdk.template import EXISTING_DATABASE, EXISTING_VPC, SECRET, STREAMS

IMAGE = f"444455556666.dkr.ecr.eu-west-1.amazonaws.com/tailer@sha256:{64 * 'a'}"
CONSUMERS = [
    {"name": "subscriptions", "bus_arn": "arn:aws:events:eu-west-1:111122223333:event-bus/subscriptions"},
    {
        "name": "audit",
        "bus_arn": f"arn:aws:events:eu-west-1:111122223333:event-busv2/audit/{25 * 'a'}",
        "events": ["PaymentCancelled"],
    },
]

VARIANTS = {
    "trial": load(ENVIRONMENTS / "trial.toml"),
    "production": load(ENVIRONMENTS / "production.toml"),
    "everything": everything(),
    "messaging": Environment.model_validate({"name": "messaging", "bus": {"consumers": CONSUMERS}}),
    "ordered": Environment.model_validate(
        {
            "name": "ordered",
            "customer_key": True,
            "bus": {"kind": "ordered", "consumers": CONSUMERS, "allowed_accounts": ["111122223333"], "schemas": False},
            "forwarder": {"redrive_minutes": 0, "reserve_redrive": False, "mappers": "shop:MAPPERS", "source": "app.shop"},
        }
    ),
    "existing": Environment.model_validate(
        {
            "name": "mine",  # the one of the how-to pages
            "network": EXISTING_VPC,
            "database": {**EXISTING_DATABASE, "authentication": "secret", "secret_arn": SECRET},
            "streams": STREAMS,
            "alarms": {"email": "oncall@example.com"},
        }
    ),
    "elsewhere": Environment.model_validate(
        {
            "name": "elsewhere",
            "network": {"egress": "nat"},
            "streams": STREAMS,
            "tailer": {
                "mongodb_uri": "mongodb://one,two:27018/?replicaSet=rs0&tls=true",
                "secret_arn": SECRET,
                "architecture": "x86_64",
                "image": IMAGE,
            },
        }
    ),
}

OF_AN_IMAGE = ("ordered",)
"""The functions of these are a container image, those of the others a zip."""
