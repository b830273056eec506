"""nf_tables: what rules, sets and objects say, in the syntax of nft."""
