"""The judge: what is wrong with a reply, and where."""
