"""A DynamoDB stream's records, read as changes."""
