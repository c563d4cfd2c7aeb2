"""The values of the forwarder: entries for the bus, watermarks, parked changes."""
