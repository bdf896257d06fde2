"""Scenarios of other systems: their answer, this library's answer, and the reason for a difference."""
