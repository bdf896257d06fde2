"""
Level 4: how the returns of one order are now.

`ledger` holds everything of one order: `returns` with their `return_item`s, `exchanges`, `claims`,
`refunds`. `valuation` is what a return comes to, and why.
"""
