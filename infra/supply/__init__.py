"""The CDK's command line from its lock, lists of components, licences, and the audit of packages."""
