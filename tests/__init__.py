"""The tests: laws (hypothesis), rules (given, when, then), the shell around the core, scenarios."""
