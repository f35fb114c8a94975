"""Errors in whole sentences on stderr; with --json the daemon's problem document on stdout as well."""

import json
from collections.abc import Mapping
from typing import Any

import click

from dialerd.cli import exits
from dialerd.client import ClientError, Problem


def report(error: ClientError, chosen: Mapping[str, Any] | None) -> int:
    """Says what went wrong; the exit code."""
    if isinstance(error, Problem) and chosen and chosen.get("json"):
        click.echo(json.dumps(error.document, ensure_ascii=False))
    for sentence in sentences(error):
        click.echo(f"dialerctl: {sentence}", err=True)
    return exits.of_error(error)


def sentences(error: ClientError) -> list[str]:
    """One for each mistake."""
    if isinstance(error, Problem):
        return problem_sentences(error.document)
    return [str(error)]


def problem_sentences(document: Mapping[str, Any]) -> list[str]:
    """What a problem document says, one sentence for each mistake."""
    mistakes = document.get("mistakes")
    if mistakes:
        return [
            f"{each['where']}: {each['what']}" if each["where"] else str(each["what"]) for each in mistakes
        ]
    return [str(document.get("detail") or document.get("title"))]
