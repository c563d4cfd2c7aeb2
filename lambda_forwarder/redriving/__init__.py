"""What was parked or became a dead letter, published again."""
