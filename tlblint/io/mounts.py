"""What kind of file system a directory is on."""

from __future__ import annotations

import os
from contextlib import suppress

TELLING = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "overlay", "zfs", "bcachefs", "jfs", "reiserfs"})
"""File systems on which the times of a directory change with each name that comes or goes. On others they may, or may not."""
TABLE = "/proc/self/mountinfo"


def tells_of_changes(directory: str, table: str = TABLE) -> bool:
    """Whether a directory is on one of TELLING; False where nobody says."""
    with suppress(OSError, ValueError, IndexError):
        device = os.stat(directory).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        with open(table, encoding="utf-8", errors="replace") as file:
            kinds = {line.split(" - ")[-1].split()[0] for line in file if line.split()[2] == wanted}
        return bool(kinds) and kinds <= TELLING
    return False
