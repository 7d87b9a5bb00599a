"""The sections of a report: findings → words. One file for each question that a reader has."""
