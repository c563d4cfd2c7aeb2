"""The methods of a change that compare the document before and after it."""
