"""Signs reports as Standard Webhooks says. The one file that knows standardwebhooks."""

from datetime import datetime

from standardwebhooks import Webhook


def headers(secret: str, message: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers of one try. `secret` is whsec_ and base64; `message` is the same for each try."""
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, now, body.decode()),
    }
