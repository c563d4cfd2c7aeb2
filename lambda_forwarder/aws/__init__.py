"""AWS clients, calls in batches, and the responses of SQS to a batch."""
