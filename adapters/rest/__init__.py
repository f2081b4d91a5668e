"""REST push: departments send records by HTTP."""
