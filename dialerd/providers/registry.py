"""The providers that dialerd knows, by the type that the configuration names."""

from dialerd.providers.base import Provider
from dialerd.providers.exotel import Exotel
from dialerd.providers.flowroute import Flowroute
from dialerd.providers.generic import Generic
from dialerd.providers.hoiio import Hoiio
from dialerd.providers.telnyx import Telnyx
from dialerd.providers.twilio import Twilio
from dialerd.providers.xoxzo import Xoxzo

TYPES: dict[str, type[Provider]] = {
    "exotel": Exotel,
    "flowroute": Flowroute,
    "generic": Generic,
    "hoiio": Hoiio,
    "telnyx": Telnyx,
    "twilio": Twilio,
    "xoxzo": Xoxzo,
}
