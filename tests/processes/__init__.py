"""Several real processes at work on one order."""
