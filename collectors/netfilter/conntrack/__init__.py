"""Conntrack over ctnetlink: flows, events, expectations and what each CPU counted."""
