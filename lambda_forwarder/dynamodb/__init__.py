"""Forwards the records of a DynamoDB stream; converts DynamoDB's values."""
