"""Publishes events to an EventBridge bus, in order per document and within the limits of its calls."""
