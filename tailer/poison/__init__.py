"""Changes that can never be delivered: their stubs, and how they are reported."""
