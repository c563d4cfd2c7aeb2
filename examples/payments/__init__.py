"""An example project: the events of payments and subscriptions. The demo and most tests use it."""
