"""nettui: terminal network diagnostics for Linux servers."""

__version__ = "0.1.0"
