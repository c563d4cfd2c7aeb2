"""The metrics of the Lambda functions, for CloudWatch."""
