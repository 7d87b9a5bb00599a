"""`jsonbreak compare`: a comparison as a report. One file for each section, that is for each question of a reader."""
