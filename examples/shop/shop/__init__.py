"""A shop on Django whose customers return things, and whose clerks take them back."""
