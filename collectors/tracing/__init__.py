"""Drop reasons, counted in the kernel as packets are dropped: by a BPF program, or by a tracefs instance of our own."""
