"""The laws of returns, each directly and as an invariant of one stateful machine."""
