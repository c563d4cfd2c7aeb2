"""The how-to pages about data, on one system: a database, an AWS account, and a forwarder with the mappers of the pages."""
