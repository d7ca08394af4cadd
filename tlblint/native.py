"""The hook of the build that translates the hot modules to C, with mypyc, when a wheel is made.

The modules are listed in pyproject.toml. Their Python stays beside the C and is what runs where the hook could do nothing: no C compiler,
no headers of Python's, ``TLBLINT_NATIVE=0``, a checkout installed with ``-e``. Findings are the same either way; judging takes about
half the time. Not part of what is installed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Native(BuildHookInterface[Any]):
    """Adds the translated modules to a wheel, each beside its source."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """``version`` is "editable" for a checkout in use, whose sources change under it: nothing is translated then."""
        if version != "standard" or os.environ.get("TLBLINT_NATIVE", "") == "0":
            return
        self._place = Path(tempfile.mkdtemp(prefix="tlblint-native-"))
        try:
            made = translated(Path(self.root), self.config["modules"], self._place)
        except (Exception, SystemExit) as error:  # mypyc and setuptools leave by SystemExit; without C there is always the Python
            print(f"tlblint: not translated to C, which costs speed only: {error}", file=sys.stderr)
            return
        build_data["force_include"].update({str(path): inside for path, inside in made.items()})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is written: what it was made from may go."""
        if place := getattr(self, "_place", None):
            shutil.rmtree(place, ignore_errors=True)


def translated(root: Path, modules: list[str], place: Path) -> dict[Path, str]:
    """Compile ``modules`` (paths below ``root``) under ``place``; what was made, and where in the wheel it belongs.

    Raises whatever mypyc, setuptools or the C compiler raise.
    """
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    before = Path.cwd()
    os.chdir(root)  # names of modules come from paths that are seen from here
    try:
        # O1: O3 takes half as long again to compile and runs no faster. The tree's own settings for mypy ask for more than a build needs.
        settings = ["--config-file=", f"--cache-dir={place / 'cache'}"]
        extensions = mypycify([*settings, *modules], only_compile_paths=modules, target_dir=str(place / "c"), group_name="tlblint",
                              opt_level="1", debug_level="0", multi_file=True)
        command = build_ext(Distribution({"name": "tlblint", "ext_modules": extensions}))
        command.build_lib, command.build_temp = str(place / "out"), str(place / "tmp")
        command.parallel = os.cpu_count()
        command.ensure_finalized()
        command.run()
    finally:
        os.chdir(before)
    out = place / "out"
    return {path: path.relative_to(out).as_posix() for path in out.rglob("*") if path.suffix in (".so", ".pyd")}
