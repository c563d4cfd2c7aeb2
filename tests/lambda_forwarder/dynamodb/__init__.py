"""Records of a DynamoDB stream, field by field."""
