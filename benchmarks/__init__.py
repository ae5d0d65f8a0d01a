"""Timings of pages and operations, against a bare page measured in the same run. `make bench` runs them."""
