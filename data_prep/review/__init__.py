"""Manual review: a page to decide by keyboard which crops stay, and the file of the decisions."""
