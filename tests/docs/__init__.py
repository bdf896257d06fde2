"""What the pages say about the code is drawn from the code: `python -m tests.docs.draw` writes it."""
