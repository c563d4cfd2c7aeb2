"""What a mapper asks of a change, and how the answer is found."""
