"""
Money decided: `entitlement` (what is due now), `split` (which payments give it), and the commands `retry`
and `outcome`.
"""
