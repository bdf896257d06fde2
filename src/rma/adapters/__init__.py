"""Implementations of the ports that ship with the library. Import each from its own module."""
