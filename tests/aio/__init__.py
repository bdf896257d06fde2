"""Hosts that wait: the same steps, awaited."""
