"""What is installed, built in and shipped: the CDK's command line from its lock, lists of components, licences, the audit."""
