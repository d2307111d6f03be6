"""The report: one folder that shows every table, figure, run and translation, opened from disk."""
