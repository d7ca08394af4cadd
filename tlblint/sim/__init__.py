"""A simulator of TLB protocols: programs of a few threads, explored in every interleaving. Knows nothing of C or of rules."""

from __future__ import annotations

from tlblint.sim.errors import ScenarioError
from tlblint.sim.explore import explore
from tlblint.sim.lang import step
from tlblint.sim.lowered import Lowered
from tlblint.sim.model import BOUND, Bounds, Check, Model, Outcome, Page, Thread, Va
from tlblint.sim.profiles import Profile

__all__ = ["BOUND", "Bounds", "Check", "Lowered", "Model", "Outcome", "Page", "Profile", "ScenarioError", "Thread", "Va", "explore", "step"]
