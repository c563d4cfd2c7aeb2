"""Values that are valid by default: a test names only the fields that it is about."""
