"""What the tailer counts, for Prometheus and CloudWatch."""
