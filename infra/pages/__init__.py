"""The pages of docs/ that are generated from the code. ``python -P -m infra.pages`` writes them."""
