"""Front end, second half: syntax trees to control-flow graphs of small instructions."""

from tlblint.flow.context import NotLowered
from tlblint.flow.facts import facts_of
from tlblint.flow.lower import lower_function

__all__ = ["NotLowered", "facts_of", "lower_function"]
