"""From the queue of changes to the event bus: queues, state, functions, bus."""
