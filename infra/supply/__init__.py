"""The CDK's command line from its lock, and the audit of packages."""
