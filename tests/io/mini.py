"""A git repository of the miniature kernel, for tests that make, send and apply patches; and git am as the judge of what applies."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.conftest import ROOT, git

DEMO = ROOT / "fixtures" / "demo"


class Mini:
    """``top`` is a work tree with the miniature kernel committed."""

    def __init__(self, place: Path) -> None:
        self.top = place
        shutil.copytree(DEMO, place)
        git(place, "init", "-q")
        self.first = self.commit({}, "demo: a miniature kernel")

    def commit(self, files: Mapping[str, bytes | None], message: str) -> str:
        """Write (None: delete) files and commit everything; the commit's id."""
        for name, raw in files.items():
            path = self.top / name
            if raw is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(raw)
        git(self.top, "add", "-A", "-f")
        git(self.top, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.top, "rev-parse", "HEAD")

    def edit(self, name: str, old: bytes, new: bytes) -> bytes:
        """A file of the work tree with one replacement made in it."""
        raw = (self.top / name).read_bytes()
        assert raw.count(old) >= 1, f"{name} lacks {old!r}"
        return raw.replace(old, new, 1)

    def mails(self, revisions: str, *options: str) -> bytes:
        """``git format-patch --stdout``."""
        words = ["git", "-C", str(self.top), "-c", "user.name=T", "-c", "user.email=t@example.org", "format-patch", "--stdout", *options, revisions]
        return subprocess.run(words, check=True, capture_output=True).stdout

    def bytes_at(self, revision: str, names: Iterable[str]) -> dict[str, bytes | None]:
        """What files hold in a revision, None for those that it lacks."""
        shown = {name: subprocess.run(["git", "-C", str(self.top), "show", f"{revision}:{name}"], capture_output=True) for name in names}
        return {name: done.stdout if done.returncode == 0 else None for name, done in shown.items()}

    def am(self, mailbox: bytes, revision: str, place: Path, *options: str) -> Mini | None:
        """A clone at ``revision`` with the mails applied by ``git am``; None when git refused."""
        git(self.top, "clone", "-q", str(self.top), str(place))
        git(place, "checkout", "-q", revision)
        words = ["git", "-C", str(place), "-c", "user.name=T", "-c", "user.email=t@example.org", "am", "-q", *options]
        done = subprocess.run(words, input=mailbox, capture_output=True)
        clone = Mini.__new__(Mini)
        clone.top = place
        return clone if done.returncode == 0 else None

    def state(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the repository, the objects and the index too, with its time stamp."""
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(self.top.rglob("*")) if path.is_file()}
