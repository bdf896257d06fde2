"""Commands about a return, one module each: `request`, `receive`, `resolve`, `cancel`."""
