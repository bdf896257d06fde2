"""Medusa's API over the library: the codec by itself, and the example application over a real socket."""
