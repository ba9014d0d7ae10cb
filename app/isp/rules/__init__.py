"""The completeness checks: what a good plan holds, as a table of small pure functions."""
