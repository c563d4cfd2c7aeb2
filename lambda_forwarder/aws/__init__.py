"""AWS clients, and what SQS answers to a batch."""
