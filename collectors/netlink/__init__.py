"""Collectors that read netlink, one file per subject."""
