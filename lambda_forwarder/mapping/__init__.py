"""From a change to events."""
