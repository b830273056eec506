"""Collectors that read /proc, one file per subject."""
