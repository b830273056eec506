"""What rulesets mean: whose a rule is, what it plainly matches, where a packet meets it, and where it leads."""
