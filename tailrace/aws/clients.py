"""What the AWS clients of the tailer and the forwarder share. boto3 itself is not imported here."""

import os

Environment = frozenset[tuple[str, str]]


def environment() -> Environment:
    """The variables that boto3 reads. They never change in production; a test can set its own."""
    return frozenset((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))


def problem(service: str, error: Exception) -> str:
    """Return the message for an error of boto3 while it created a client. No call to AWS was made."""
    failed = f"cannot create the AWS client for {service}"
    match type(error).__name__:
        case "NoRegionError" | "InvalidRegionError":
            return f"AWS_REGION: {error} Set it to the region of the queue, e.g. eu-central-1"
        case "UnknownServiceError":  # its text lists every service that boto3 knows
            return f"{failed}: the installed boto3 does not know this service; install a newer one"
        case "ValueError":
            return f"{failed}: AWS_ENDPOINT_URL is not a URL"
    return f"{failed}: {error}; check AWS_PROFILE, AWS_CONFIG_FILE and the credentials"
