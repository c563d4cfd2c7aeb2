"""Pages of docs/ that are written from the code: python -m infra.watching.meanings.configuration and its neighbours."""
