"""
The rules of returns, as values and pure functions.

Nothing here reads a clock, draws an id, opens a connection or writes a log line: whatever a rule needs
is an argument. Import the public names from `rma`; the packages below are where they live.

In reading order, each level importing only from those below it:

1. `values`: money, tax, errors, validation.
2. `sale`: the host's order, catalogue and policy; what was paid for a line.
3. `messages`: commands that are asked of us, effects that we ask of ports.
4. `state`: the ledger of one order with its returns, exchanges, claims and refunds.
5. `events`: what was recorded, in the past tense.
6. `decide` (command to events, or a refusal), `evolve` (event to new state), `react` (event to effects).
   The three do not import each other.
7. `change`: the three folded into one commit. `views`: what can be read.
"""
