"""Foreign text is repeated without secrets and documents."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tailrace.text.redaction import LIMIT, redacted

TOKEN = "IQoJb3JpZ2luX2VjEJr//////////wEaDGV1LWNlbnRyYWwtMSJHMEUCIQDsecretsecretsecretsecretsecretsecret"


@pytest.mark.parametrize(
    ("said", "repeated"),
    [
        ("Rate exceeded", "Rate exceeded"),
        ("", ""),
        ("\n\n first \n second secret", "first"),
        ("Signature expired: 20141104T062952Z is now earlier", "Signature expired: 20141104T062952Z is now earlier"),
        (
            f"The signature does not match.\n\nThe Canonical String should have been\n'POST\nx-amz-security-token:{TOKEN}",
            "The signature does not match.",
        ),
        (f"x-amz-security-token:{TOKEN} host:sqs", "x-amz-security-token:*** host:sqs"),
        (
            "Authorization=AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, Signature=secret",
            "Authorization=*** Credential=***, Signature=***",
        ),
        ("The key AKIAIOSFODNN7EXAMPLE is not known", "The key *** is not known"),
        ("mongodb://user:se@cr/et@host:27017: timed out", "mongodb://***@host:27017: timed out"),
        ("password: secret, user: a", "password: ***, user: a"),
        (
            'not authorized to execute command { aggregate: "payments", pipeline: [ { $match: { iban: "secret" } } ] }',
            "not authorized to execute command { aggregate: …",
        ),
        (
            'the pre-image was not found for event: { _id: { _data: "82secret" }, documentKey: 1 }',
            "the pre-image was not found for event: { _id: …",
        ),
        (f"the token {'82A4' * 30} was not found", "the token *** was not found"),
        ("a\x1b[31mb\x00c", "a�[31mb�c"),
    ],
)
def test_secrets_and_documents_are_redacted(said: str, repeated: str) -> None:
    """The rest is repeated unchanged."""
    assert redacted(said) == repeated


FORMS = [
    "x-amz-security-token:{}",
    "mongodb://user:{}@host",
    "password={}",
    'secret_access_key: "{}"',
    "{{ iban: '{}' }}",
    "Signature={}",
]
secrets = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=80)


@given(st.text(), secrets, st.sampled_from(FORMS), st.text())
def test_no_secret_survives_redaction(before: str, secret: str, form: str, after: str) -> None:
    """The result is bounded, printable and on one line."""
    assume(secret not in before + after)
    shown = redacted(f"{before} {form.format(secret)} {after}")
    assert secret not in shown
    assert len(shown) <= LIMIT
    assert shown.isprintable()
