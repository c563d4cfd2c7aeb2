"""The catalogue of all events: its page, the schemas, and the check for breaking changes."""
