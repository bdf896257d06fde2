"""The example shop: its own tests, in a browser, and with several processes that are killed."""
