"""The checkpoint stores, a module for each, and the table of them."""
