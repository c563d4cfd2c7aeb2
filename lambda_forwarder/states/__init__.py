"""The last states of documents: the values of the fields that mappers declare with ``remembers``."""
