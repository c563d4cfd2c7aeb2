"""BSON to plain JSON values."""
