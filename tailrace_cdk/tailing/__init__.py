"""From the database to the queue: network, database, the service, and what a deployment enables."""
