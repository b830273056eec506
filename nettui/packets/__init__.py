"""What a reader makes of captured packets: batches with their headers as tables, lines, flows."""
