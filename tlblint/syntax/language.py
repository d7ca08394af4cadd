"""tree-sitter's grammar of C, loaded once."""

from __future__ import annotations

from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType

from tree_sitter import Language


def _binding() -> ModuleType:
    """The part of the package that is compiled. The rest is about queries for editors, and takes as long to import as all of flow does."""
    package = find_spec("tree_sitter_c")
    spec = PathFinder.find_spec("tree_sitter_c._binding", package.submodule_search_locations) if package is not None else None
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    import tree_sitter_c

    return tree_sitter_c


C = Language(_binding().language())
