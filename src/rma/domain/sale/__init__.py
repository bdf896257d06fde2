"""
Level 2: what the host says about a sale, and the merchant's rules.

`order` (line items, payments), `catalogue` (shipping options and return reasons), `policy`, `eligibility`
(which lines may come back), `pricing` (what was paid for a line, in parts), `new_item` (goods that replace
others).
"""
