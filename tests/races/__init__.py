"""Tests of commands that compete for one order, in every order of their calls."""
