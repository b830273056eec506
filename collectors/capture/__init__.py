"""Live capture: packets of a device into a bounded ring of segments, and into files."""
