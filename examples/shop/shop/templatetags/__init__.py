"""Filters of the shop's templates."""
