"""A project with Django's admin, whose tests Django runs: see `test_back_office`."""
