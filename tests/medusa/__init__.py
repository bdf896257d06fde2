"""Tests of Medusa's API: the adapter by itself, and the example application over a real socket."""
