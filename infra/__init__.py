"""The repository's own tools: synthesis and its checks, the CDK's command line, the Lambda zip, the generated pages."""
