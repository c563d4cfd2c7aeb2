"""What travels on the queue."""
