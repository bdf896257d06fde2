"""Small orders on which everything is tried: `engine` tries, the others say what."""
