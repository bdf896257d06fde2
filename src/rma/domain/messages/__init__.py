"""
Level 3: what is asked.

`commands` and `command_items`: what a host asks of this library. `effects`: what this library asks of the
host's ports, and what they answer. `gateways`: what a payment gateway promises about repeats.
"""
