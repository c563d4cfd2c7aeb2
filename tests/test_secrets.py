"""No tracked file contains a secret or a private key."""

import re

import pytest

from tests.tracked import tracked

SECRETS = {
    "AWS access key": r"\b(?:AKIA|ASIA)(?![A-Z0-9]*EXAMPLE)[A-Z0-9]{16}\b",
    "AWS secret key": r"(?i)aws_?secret_?(?:access_?)?key[\"']?\s*[=:,]\s*[\"']?[A-Za-z0-9/+]{40}\b",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{20}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}|_authToken\s*=\s*\S{8}",
    "PyPI token": r"\bpypi-AgEI[A-Za-z0-9_-]{20}",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10}|hooks\.slack\.com/services/T",
    "Google key": r"\bAIza[A-Za-z0-9_-]{35}",
    "Stripe key": r"\b[sr]k_live_[A-Za-z0-9]{16}",
    "JSON Web Token": r"\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.",
    "password of a hosted database": r"mongodb(?:\+srv)?://[^\s/:@{<]+:[^\s@{<]+@[^\s/]*\.(?:mongodb\.net|docdb\.amazonaws\.com)",
}
PLANTED = {
    "AWS access key": "AKIA" + "Q3EGRIMBV7XTEST2",
    "AWS secret key": "aws_secret_access_key = " + "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzKEYz",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "GitHub token": "ghp_" + "a1" * 18,
    "GitLab token": "glpat-" + "a1" * 10,
    "npm token": "npm_" + "a1" * 18,
    "PyPI token": "pypi-" + "AgEIcHlwaS5vcmc" + "a1" * 10,
    "Slack token": "xoxb-" + "1234567890-abc",
    "Google key": "AIza" + "a" * 35,
    "Stripe key": "sk_live_" + "a1" * 8,
    "JSON Web Token": "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + ".c",
    "password of a hosted database": "mongodb+srv://app:" + "hunter2@orders.abcde.mongodb.net/",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_secret_of_each_kind_is_found(kind: str) -> None:
    """Alone, in quotes, and in the middle of a line."""
    for text in (PLANTED[kind], f'key: "{PLANTED[kind]}"', f"x={PLANTED[kind]} # y"):
        assert re.search(SECRETS[kind], text)


def test_no_tracked_file_contains_a_secret() -> None:
    """A finding has file, line and kind, and never the text."""
    found = []
    for path in tracked():
        text = path.read_text(errors="ignore")
        for kind, pattern in SECRETS.items():
            found += [f"{path}:{text.count(chr(10), 0, one.start()) + 1}: {kind}" for one in re.finditer(pattern, text)]
    assert found == []


def test_no_file_that_usually_holds_secrets_is_tracked() -> None:
    """Environment files, keys, credentials."""
    usual = re.compile(r"\.env(\..+)?|.*\.(key|p12|pfx|jks|keystore|kdbx)|id_(rsa|ed25519|ecdsa)|credentials|\.netrc|\.pypirc")
    assert [path for path in tracked() if usual.fullmatch(path.name)] == []
