"""Tests that run the examples of hosts as their users do: in processes of their own, which are killed."""
