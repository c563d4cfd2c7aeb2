"""SQS and S3: where changes go."""
