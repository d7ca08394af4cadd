"""tlblint: a static analyzer for TLB-flush discipline in Linux kernel C."""

__version__ = "0.1.0"
