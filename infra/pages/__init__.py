"""Pages of docs/ that are written from the code: ``python -P -m infra.pages`` writes them all."""
