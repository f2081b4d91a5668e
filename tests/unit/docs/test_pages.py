"""The pages written by hand: their links lead somewhere, their commands, settings and metrics exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from core.config import sections
from licencehub.__main__ import cli
from monitoring import catalogue

ROOT = Path(__file__).parents[3]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/reference/*.md")})
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?!https?:)([^)\s]+)\)")
_COMMAND = re.compile(r"`licence-hub ((?:-c \S+ )?[a-z][^`]*)`")
_CONNECTIONS = ("publisher", "consumer")
"""Connections to the broker are called ``licence-hub publisher`` and so on."""
_METRIC = re.compile(r"`hub_(\w+)")
_VARIABLE = re.compile(r"LICENCE_HUB__([A-Z]+)__([A-Z_]+)")


def _anchors(page: Path) -> set[str]:
    """What a heading can be linked by: lower case, punctuation left out, spaces as hyphens."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for target in _LINK.findall(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in _anchors(linked), f"{page.name}: {target}"


def _resolved(words: list[str]) -> Iterator[click.Command]:
    """The command that the words name, with those above it."""
    command: click.Command = cli
    context = click.Context(cli, info_name="licence-hub")
    for word in words:
        if not isinstance(command, click.Group):
            return
        found = command.get_command(context, word)
        assert found is not None, f"there is no command {word} in {' '.join(words)}"
        command, context = found, click.Context(found, parent=context)
        yield command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    for text in _COMMAND.findall(page.read_text("utf-8")):
        words = re.sub(r"^-c \S+ ", "", text).split()
        if words[0] in _CONNECTIONS:
            continue
        commands = list(_resolved([word for word in words if not word.startswith("-")]))
        options = {name for command in commands for param in command.params for name in param.opts}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= options | {"--help"}, text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_metric_and_setting_that_is_named_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    metrics = {metric.name for metric in (*catalogue.CATALOGUE, *catalogue.STATE)}
    assert set(_METRIC.findall(text)) <= metrics
    for section, setting in _VARIABLE.findall(text):
        if (section, setting) != ("SECTION", "SETTING"):
            assert hasattr(getattr(sections.HubFile(), section.lower()), setting.lower())
