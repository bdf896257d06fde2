"""The tests of the shop's pages: `python examples/shop/manage.py test shop`."""
