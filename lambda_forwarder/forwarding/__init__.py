"""From a queue message to events on the bus."""
