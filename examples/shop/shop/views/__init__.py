"""The pages of customers, and what the gateway reports to; the back office is Django's admin."""
