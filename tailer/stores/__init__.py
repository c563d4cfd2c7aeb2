"""The checkpoint stores, a module for each."""
