"""Runs Medusa's own JavaScript client against the example, by hand: see `run`."""
