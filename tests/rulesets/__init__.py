"""Rulesets of real shape: files for the tools that load them, and what makes the long ones."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def text(name: str) -> str:
    """A rule file's content."""
    return (HERE / name).read_text()
