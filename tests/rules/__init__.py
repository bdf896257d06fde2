"""The rules, as given events, when command, then events or refusals."""
