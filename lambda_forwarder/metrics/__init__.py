"""What the functions count, for CloudWatch."""
