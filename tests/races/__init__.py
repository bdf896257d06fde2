"""Commands that compete for one order: every order in which their calls can happen."""
