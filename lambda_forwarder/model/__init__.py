"""The values that pass between the forwarder's rooms."""
