"""The repository's own tools: synthesis and its checks, the CDK's command line, the Lambda zip, the generated pages."""

from contextlib import suppress

with suppress(ImportError):  # the Lambda zip is built without the CDK
    import tailrace_cdk  # noqa: F401 - before aws_cdk: it chooses the Node.js that aws_cdk starts
