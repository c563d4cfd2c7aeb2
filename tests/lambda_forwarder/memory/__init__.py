"""What a message or a claim may cost: its memory is told before it is decoded, and holds in a function of that size."""
