"""The Lambda functions: they read changes from the queue and publish domain events to the bus."""
