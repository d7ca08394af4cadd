"""Broken variants and harmless rewrites of real kernel functions, and a scorer for the analyzer on them."""
