"""Lists in files: numbers that must not be called (stop lists), and what calls cost (rates).

Files in, quick look-ups out. A file that changes is read anew; one with mistakes is told, and what was read
before stays in force.
"""

from dialerd.lists.rates import Rates
from dialerd.lists.settings import ListFile
from dialerd.lists.stoplists import StopLists

__all__ = ["ListFile", "Rates", "StopLists"]
