"""What is around the core: handlers, delivery, service, adapters, examples."""
