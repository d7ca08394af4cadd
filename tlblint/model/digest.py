"""BLAKE2 from where hashlib has it. hashlib itself loads OpenSSL, which takes longer than most of what is imported here."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # a Python that has all digests from elsewhere
    from hashlib import blake2b

__all__ = ["blake2b"]
