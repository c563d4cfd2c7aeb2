"""Documents and messages that were made to stop, overload or mislead the product, and their outcomes."""
