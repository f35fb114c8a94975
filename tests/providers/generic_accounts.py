"""Generic providers, as configurations have them."""

import tomllib
from typing import Any

from dialerd.core.model import Call
from dialerd.core.receipts import Errand
from dialerd.core.tasks import Script, Sms
from dialerd.providers.base import Secret
from dialerd.providers.generic import Generic

CALLBACK = "https://dialer.example.org/in/k/k3y?ref=3f9k2m8qx1abc.1"

KANNEL = """
base_url = "http://192.168.1.5:13013"
[sms]
method = "GET"
path = "/cgi-bin/sendsms"
success = "^[03]: "
[sms.query]
username = "{account}"
password = "{secret}"
to = "{to}"
from = "{sender}"
text = "{body}"
charset = "UTF-8"
coding = "2"
dlr-mask = "31"
dlr-url = "{callback}&type=%d"
[receipts]
word = "type"
[words]
1 = "DELIVERED"
2 = "UNDELIVERED"
8 = "handed_on"
16 = "FAILED"
"""

GAMMU = """
base_url = "http://192.168.1.6:8080"
[sms]
path = "/send.php"
form = { phone = "{to}", text = "{body}" }
success = '"status": *"ok"'
"""

JSON_API = """
base_url = "https://sms.example.com"
auth = "bearer"
complaint = "error.text"
[sms]
path = "/v1/{account}/messages"
id = "data.messages[0].id"
statuses = [200, 201]
headers = { X-Ref = "{reference}" }
[sms.json]
to = ["{to_digits}"]
text = "{body}"
from = "{sender}"
flash = false
hook = { url = "{callback}", kind = "{extra.kind}" }
[status]
path = "/v1/messages/{ref}"
word = "state"
detail = "why"
price = "cost"
parts = "parts"
id = "id"
[receipts]
ref = "message.id"
word = "message.state"
[incoming]
ref = "id"
sender = "from"
dest = "to"
body = "text"
[words]
Delivered = "DELIVERED"
Bounced = "UNDELIVERED"
Sent = "handed_on"
[[refused]]
statuses = [400, 403]
pattern = '"code": *"country"'
verdict = "not_served"
[[refused]]
pattern = '"code": *"(number|text)"'
[[refused]]
pattern = '"code": *"busy"'
verdict = "unavailable"
[[refused]]
statuses = [403]
verdict = "account_refused"
"""

XML_VOICE = """
base_url = "https://voice.example.com"
auth = "basic"
[say]
method = "PUT"
path = "/calls"
media_type = "text/xml"
body = '<call to="{to}" lang="{language}"><say>{body}</say><ref>{reference}</ref></call>'
id_pattern = '<id>(\\w+)</id>'
[connect]
path = "/connect"
success = "OK"
form = { a = "{to}", b = "{connect_digits}", cli = "{caller_id}", ring = "{wait_time}", max = "{longest}" }
"""


def generic(toml: str, **more: Any) -> Generic:
    options = tomllib.loads(toml) | more
    return Generic(account="me & co", secret=Secret("s3cr/t"), options=options)


def text_to(body: str = "Hello & bye", **sms: Any) -> Errand:
    return Errand("3f9k2m8qx1abc.1", Call(to=("+14155550123",)), Sms(body, **sms), CALLBACK)


def call_to(**script: Any) -> Errand:
    call = Call(to=("+14155550123",), caller_id_number="+14155550100", script=Script(**script))
    return Errand("3f9k2m8qx1abc.1", call, None, CALLBACK)
