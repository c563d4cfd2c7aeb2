"""Maps changes to events, with the mappers of a table."""
