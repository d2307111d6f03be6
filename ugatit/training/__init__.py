"""Training: the loop, its checkpoints, schedule and log. No method is named here."""
