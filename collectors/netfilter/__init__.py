"""Conntrack, rulesets and sets of the kernel's Netfilter, from nfnetlink, getsockopt and /proc."""
