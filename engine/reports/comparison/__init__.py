"""The sections of a comparison: what was counted → words. One file for each question that a reader has."""
