"""Remedies that the checks of several services share."""

NETWORK = "check the network, AWS_REGION, AWS_ENDPOINT_URL, and the VPC endpoint with its security group"
"""Where a service does not respond."""

ROLE = "check that the task's role may use it"
"""Where a service denies access."""
