"""The errors of AWS, requirements for queues, metrics for CloudWatch, and the stored item of unmapped collections."""
