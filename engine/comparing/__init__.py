"""Runs compared with a baseline, job by job: paired by the jobs' ids, counted, and told."""
