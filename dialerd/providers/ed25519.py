"""The one place that knows cryptography: signatures of the kind Ed25519 (RFC 8032)."""

from base64 import b64decode

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    HAS_LIBRARY = True
except ImportError:  # pragma: no cover - an optional library
    HAS_LIBRARY = False


def why_unusable(public_key: str) -> str | None:
    """A sentence on why signatures can't be verified with this key (base64), or None."""
    if not HAS_LIBRARY:
        return "To verify signatures dialerd needs a library: install dialerd[telnyx]."
    if (raw := _decoded(public_key)) is None or len(raw) != 32:
        return "This is no public key: it has 32 bytes, written in base64 (44 characters)."
    return None


def is_signed(public_key: str, message: bytes, signature: str) -> bool:
    """Whether this is the message's signature (base64) by the owner of the key. What can't be verified is
    not."""
    raw, key = _decoded(signature), _decoded(public_key)
    if why_unusable(public_key) is not None or raw is None or key is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(raw, message)
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None
