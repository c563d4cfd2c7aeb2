"""Changes that can never be delivered: what becomes of them, and how they are reported."""
