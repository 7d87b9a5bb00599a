"""`jsonbreak report`: the findings of a run as a report. One file for each section, that is for each question of a
reader; findings.py, consistency.py and examples.py collect what the sections show."""
