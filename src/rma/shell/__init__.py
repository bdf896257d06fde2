"""
Everything between the pure domain and the ports, written once for blocking and awaited hosts.

`handle` (a command, from loading the ledger to delivering its effects), `read` (quotes and queries), `facts`
(what is gathered before a decision), `commit` (optimistic concurrency), `deliver` (open effects to their
ports), `resume` (what a timer does), `driver` (how the coroutines run), `construction` (how a service is
built).
"""
