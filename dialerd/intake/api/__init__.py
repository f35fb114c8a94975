"""The Unix socket: HTTP/1.1 and JSON (docs/api.md), in a thread and an event loop of its own.

`Api` is handed a desk (what the engine does for the ways in) and knows nothing else of the engine. aiohttp
is used in this folder only.
"""

from dialerd.intake.api.desk import Desk
from dialerd.intake.api.extras import Extras
from dialerd.intake.api.server import Api
from dialerd.intake.api.settings import ApiSettings

__all__ = ["Api", "ApiSettings", "Desk", "Extras"]
