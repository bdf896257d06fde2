"""What other systems answer, what this library answers, and why where the two are not the same."""
