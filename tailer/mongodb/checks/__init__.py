"""The checks of a MongoDB or DocumentDB cluster, and of one stream on it."""
