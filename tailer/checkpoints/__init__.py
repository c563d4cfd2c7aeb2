"""Where the lease and the checkpoint of each stream are kept: one file per kind of store."""
