"""
Level 1: values that know nothing of returns.

`money` (amounts, and the only two ways of splitting them), `tax`, `errors` (every code with its message),
`validators` (what constructors refuse), `frozenmap` (mappings that cannot change).
"""
