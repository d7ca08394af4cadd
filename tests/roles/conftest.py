"""The shipped data files, and kernel trees where there are any."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
KERNELS = ("6.1", "6.12", "7.3")

# A definition or declaration at the left margin, or a macro with parameters; one level of inner parentheses is enough.
DECLARED = re.compile(
    rb"^(?:#[ \t]*define[ \t]+|(?:[A-Za-z_][\w \t*\n]*?[\s*]))"
    rb"(?P<name>[A-Za-z_]\w+)[ \t]*\((?P<params>(?:[^()]|\([^()]*\))*)\)",
    re.MULTILINE,
)
PLACES = ("include/linux/*.h", "include/linux/sched/*.h", "include/asm-generic/*.h", "mm/*.[ch]", "arch/x86/include/asm/*.h", "arch/arm64/include/asm/*.h",
          "arch/s390/include/asm/*.h", "arch/powerpc/include/asm/book3s/64/*.h", "arch/riscv/include/asm/*.h")  # fmt: skip


@cache
def _texts(folder: str) -> Mapping[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules" / folder).glob("*.toml"))}


@pytest.fixture(scope="session")
def api() -> Mapping[str, str]:
    """rules/api: file name -> text."""
    return _texts("api")


@pytest.fixture(scope="session")
def profile_texts() -> Mapping[str, str]:
    """rules/profiles: file name -> text."""
    return _texts("profiles")


def _count(params: bytes) -> int | None:
    """How many parameters a list declares; None for a variable number."""
    plain = re.sub(rb"\([^()]*\)", b"()", params).replace(b"\\\n", b" ").strip()
    if b"..." in plain:
        return None
    return 0 if plain in (b"", b"void") else plain.count(b",") + 1


def _declarations(tree: Path) -> Iterator[tuple[str, int | None, str]]:
    for place in PLACES:
        for path in sorted(tree.glob(place)):
            for found in DECLARED.finditer(path.read_bytes().replace(b"\\\n", b"  ")):
                yield found["name"].decode(), _count(found["params"]), path.relative_to(tree).as_posix()


@cache
def _index(tree: Path) -> Mapping[str, Mapping[int | None, str]]:
    index: dict[str, dict[int | None, str]] = {}
    for name, count, path in _declarations(tree):
        index.setdefault(name, {}).setdefault(count, path)
    return index


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """(version, directory) of a kernel tree; skips where there is none."""
    top = os.environ.get("TLBLINT_KERNELS")
    tree = Path(top or "/nonexistent") / f"linux-source-{request.param}"
    if not top or not tree.is_dir():
        pytest.skip("no kernel tree")
    return request.param, tree


@pytest.fixture
def declared(kernel: tuple[str, Path]) -> Mapping[str, Mapping[int | None, str]]:
    """What a tree declares: name -> number of parameters -> a file that does."""
    return _index(kernel[1])


@pytest.fixture
def indices(trees: list[Path]) -> list[Mapping[str, Mapping[int | None, str]]]:
    """``declared`` of every tree."""
    return [_index(tree) for tree in trees]


@pytest.fixture
def trees() -> list[Path]:
    """Every kernel tree; skips unless all are there."""
    found = [Path(os.environ.get("TLBLINT_KERNELS") or "/nonexistent") / f"linux-source-{version}" for version in KERNELS]
    if not all(tree.is_dir() for tree in found):
        pytest.skip("no kernel trees")
    return found
