"""What could not be published, kept with its reason."""
