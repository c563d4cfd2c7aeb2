"""Converts the records of a DynamoDB stream to changes."""
