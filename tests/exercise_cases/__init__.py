"""Further right and wrong answers for single checks: what readers gave, what once passed or was refused wrongly.

A file for each part of the course: chapter -> check -> function of the chapter's names that returns (right answers,
wrong answers), tuples each.
"""

from . import digits, foundations, images, insurance, limits, outbreak, sequences

PARTS = (foundations, insurance, digits, outbreak, images, sequences, limits)
CASES = {chapter: cases for part in PARTS for chapter, cases in part.CASES.items()}
