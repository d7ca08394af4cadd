"""How long a whole kernel takes, beside what the machine can do at best. Run with ``python -m tests.bench --tree DIR``."""
