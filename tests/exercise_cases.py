"""Further right and wrong answers for single checks: what readers gave, what once passed or was refused wrongly."""

# chapter -> check -> function of the chapter's names that returns (right answers, wrong answers), tuples each
CASES = {}
