"""Runs compared with a baseline, job by job: paired by the jobs' ids and counted. Words are in engine.reports."""
