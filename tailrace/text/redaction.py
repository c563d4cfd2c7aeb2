"""Makes another program's error text fit for logs: one line of bounded length, without secrets and document contents."""

import re

LIMIT = 300  # characters; the longest message of AWS about a denied call has about 250

_SECRETS = (
    (re.compile(r"://\S*@"), "://***@"),  # user and password, up to the last @: a password may contain @
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"), "***"),  # an access key id
    (
        re.compile(
            r"(?i)\b(x-amz-security-token|aws_session_token|session_?token|authorization|credential|signature|"
            r"(?:aws_)?secret(?:_access_key|accesskey)?|password|passwd|pwd)([\"']?\s*[:=]\s*[\"']?)(?!\d{8}T)[^\s,;&\"']+"
        ),
        r"\1\2***",
    ),
    (re.compile(r"[A-Za-z0-9+/=_-]{64,}"), "***"),  # session tokens, signatures, and resume tokens, which hold an _id
)
_QUOTED = re.compile(r"\{\s*([\"']?[$\w.]*[\"']?)\s*:?.*")  # a command or a document, from its first field's name on
_VALUE = re.compile(r"(?i)\b(parse (?:number|objectid)|date string|value was:|but returned)\s.*")  # what a pipeline met


def redacted(text: str, limit: int = LIMIT) -> str:
    """
    Return the first line without secrets and document contents, cut to ``limit`` characters.

    AWS repeats a request with its session token where a signature is wrong, and MongoDB repeats commands and events.
    """
    line = next((line for line in text.splitlines() if line.strip()), "").strip()
    line = "".join(character if character.isprintable() else "�" for character in line)
    line = _QUOTED.sub(lambda found: f"{{ {found[1]}: …" if found[1] else "{ …", line)
    line = _VALUE.sub(r"\1 …", line)
    for secret, instead in _SECRETS:
        line = secret.sub(instead, line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
