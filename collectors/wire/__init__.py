"""Bytes to arrays, without any input or output."""
