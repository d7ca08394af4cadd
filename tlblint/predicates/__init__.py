"""Executes flush predicates and generation helpers as the tree has them: its own headers, its own macros, no compiler."""
