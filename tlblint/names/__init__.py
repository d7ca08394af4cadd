"""What names mean in a tree: the files that say it, taken apart once; preprocessed units; and every architecture in every configuration.

Roles, predicates and hooks all ask here, and each ``#if`` is judged by tlblint.names.conditions.
"""
