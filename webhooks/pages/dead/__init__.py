"""The pages of dead letters: what failed for a reason that somebody could mend, and replaying it."""
