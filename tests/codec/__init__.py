"""Values as JSON documents: read back as they were, judged as a whole, and promised to later releases."""
