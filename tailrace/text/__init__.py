"""Text from outside: made legible, and without secrets."""
