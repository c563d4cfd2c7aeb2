"""The metrics of a task, for Prometheus and CloudWatch."""
