"""xtables: what matches and targets say, in the syntax of iptables."""
