"""What travels on the queue. Both sides import this package; it imports only the standard library and msgspec."""
