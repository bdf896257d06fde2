"""Tests of several real processes that work on one order."""
