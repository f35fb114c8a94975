"""The listener: where providers tell of receipts, messages that came in, and sessions. Off unless
configured."""

from dialerd.intake.listener.doors import Door, Forged, Opened
from dialerd.intake.listener.server import Listener

__all__ = ["Door", "Forged", "Listener", "Opened"]
