"""The errors of AWS, requirements for queues, metrics for CloudWatch, and the table item of unmapped collections."""
