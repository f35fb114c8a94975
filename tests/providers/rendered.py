"""A request as it would go out, to be compared with a table written by hand."""

import json
from urllib.parse import urlencode

from dialerd.providers.wire import Request


def rendered(request: Request) -> str:
    """METHOD path?query, the headers of its own, and the body with its media type; a line each."""
    query = request.query if isinstance(request.query, str) else urlencode(request.query)
    lines = [f"{request.method} {request.path}{'?' if query else ''}{query}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.parts:
        lines += [f"{name}={value}" for name, value in request.form or ()]
        lines += [
            f"{each.name}: {each.filename} {each.media_type} {each.content!r}" for each in request.parts
        ]
    elif request.json is not None:
        lines += ["json", json.dumps(request.json)]
    elif request.content is not None:
        lines += [request.media_type or "", request.content.decode()]
    elif request.form is not None:
        lines += ["form", urlencode(request.form)]
    return "\n".join(lines)


def table(text: str) -> str:
    """An expectation as written in a test: lines that end in & or ? go on in the next one."""
    lines: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if lines and lines[-1].endswith(("&", "?")):
            lines[-1] += line
        else:
            lines.append(line)
    return "\n".join(lines)
