"""
Level 7: what can be read from an order, its ledger and its history; nothing here changes anything.

`quotes`, `returnable` (what can still come back), `order_state`, `timeline` (history in words),
`transactions` (money per order), `query` (which returns a back office asks for).
"""
