"""What a production account needs, and how the code gets there."""
