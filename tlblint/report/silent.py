"""Which formats are for programs that take any line on standard error for a failure, so that not even progress may come."""

SILENT = frozenset({"b4", "b4-review", "checkpatch"})
