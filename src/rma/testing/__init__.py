"""
For adapter authors, and for hosts that want their own tests to be as hard as ours.

`contracts`: what each port promises, as test classes to subclass (extra `testing`: pytest, hypothesis).
`world`, `simulation`, `actions`: your ports around a service, simulated by a seed while they fail (no extra).
`commands`: how to make each kind of command for an order (no extra).
`invariants`: what holds in every world at every moment (no extra).
`faults`, `fault_injection`: crashes, time-outs, repeated and refused calls at every point (no extra).
`strategies`: orders, commands and everything committed about an order (extra `testing`: hypothesis).
`core_harness`: the pure core alone, for commits without ports (no extra).
"""
