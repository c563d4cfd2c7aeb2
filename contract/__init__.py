"""
What travels on the queue, the names of what both sides show of themselves, and what the errors of AWS mean. Both import this
package; it imports only the standard library and msgspec.
"""
