"""Findings: what is wrong, or soon will be, told from tables; one pure function for each diagnosis."""
