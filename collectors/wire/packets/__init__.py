"""Captured packets: where they stand in a segment's bytes, and their headers as columns."""
