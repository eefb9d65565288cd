"""Candidates with their blessing, live versions, and the way from one to the other and back."""
