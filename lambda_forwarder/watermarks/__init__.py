"""Watermarks: the position of each lane up to which its changes are published. Older repeats are dropped."""
