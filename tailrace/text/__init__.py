"""Makes text from outside legible, and removes secrets from it."""
