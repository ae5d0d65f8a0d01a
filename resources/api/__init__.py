"""Resources for programs: finding what is free, asking, deciding, waiting, blocking."""
