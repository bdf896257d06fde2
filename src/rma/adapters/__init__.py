"""Implementations of the ports that come with the library. Import each from its own module."""
