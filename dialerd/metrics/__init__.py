"""Metrics for Prometheus: what is counted as it happens, and what is looked at when somebody asks.

docs/metrics.md lists them all. No number, name of a batch, key or id of a job is ever a label: labels are
words of ours and names of the configuration, and what is neither is "other". The one owner of
prometheus_client.
"""

from dialerd.metrics.counting import Counts
from dialerd.metrics.exposing import Exposition
from dialerd.metrics.looking import Looks, Sources

__all__ = ["Counts", "Exposition", "Looks", "Sources"]
