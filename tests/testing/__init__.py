"""What is shipped for tests is tested: contracts bite, faults fail as they say, crashes are survived."""
