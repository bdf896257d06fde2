"""
The rules of returns, as values and pure functions.

Nothing here reads a clock, draws an id, opens a connection or writes a log line: whatever a rule needs
is an argument. Import the public names from `rma`; the modules below are rooms, not an interface.
"""
