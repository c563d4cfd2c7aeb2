"""Documents and messages that were written to stop, blow up or mislead the product, and what becomes of them."""
