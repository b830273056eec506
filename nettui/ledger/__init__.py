"""The drop ledger: every counter by which the kernel tells of a lost packet, ordered as a packet meets the layers."""
