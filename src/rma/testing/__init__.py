"""
For adapter authors, and for hosts that want their own tests to be as hard as ours.

`contracts`: what each port promises, as test classes to subclass (extra `testing`: pytest, hypothesis).
`world`, `life`, `steps`: your ports around a service, living by a seed while they fail (no extra).
`laws`: what holds in every world, whatever happens (no extra).
`faults`, `inject_faults`: crashes, time-outs, repeated and refused calls at every moment there is (no extra).
`strategies`: orders, commands and whole lives of orders (extra `testing`: hypothesis).
`harness`: the pure core alone, for commits without ports (no extra).
"""
