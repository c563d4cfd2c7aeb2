"""The Lambda functions: changes come in from the queue, domain events go out to the bus."""
