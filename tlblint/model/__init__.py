"""Frozen records that cross layers. No logic, no imports from other layers."""
