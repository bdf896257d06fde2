"""The migrations of the app `rma`."""
