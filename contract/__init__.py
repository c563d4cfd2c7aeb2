"""
What travels on the queue, and the names of what both sides show of themselves. Both import this package; it imports only the
standard library and msgspec.
"""
