"""Events on their way to the bus: in order, in calls of its size, entry by entry."""
