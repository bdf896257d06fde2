"""A payment gateway for tests and demonstrations. It knows nothing of the shop, and is reached by HTTP."""
