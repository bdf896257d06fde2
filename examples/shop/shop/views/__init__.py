"""The pages: of customers, of clerks, and what the gateway reports to."""
